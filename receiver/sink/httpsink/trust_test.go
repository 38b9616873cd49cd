package httpsink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// authority is a certificate and its key, which may sign others.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate of an authority, or one that is its own.
func issue(t *testing.T, by *authority, name string, until time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-100 * time.Hour), NotAfter: until,
		DNSNames: []string{name}, IsCA: by == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key}
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
}

func (a *authority) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func (a *authority) identity(t *testing.T) *common.KeyPair {
	t.Helper()
	return &common.KeyPair{Certificate: a.pem(), Key: a.keyPEM(t)}
}

func trusting(t *testing.T, url string, s settings.SinkTLS) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"url": url, "tls": s})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPrivateAuthoritiesAndClientCertificates(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	ca, other := issue(t, nil, "ca", later), issue(t, nil, "other", later)
	server := issue(t, ca, "crm.internal", later)
	client, stranger := issue(t, ca, "client", later), issue(t, other, "stranger", later)
	pool := x509.NewCertPool()
	pool.AddCert(ca.certificate)
	var seen string
	d := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.TLS.PeerCertificates[0].Subject.CommonName }))
	d.EnableHTTP2 = true
	d.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.certificate.Raw}, PrivateKey: server.key}}, MinVersion: tls.VersionTLS12,
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	d.StartTLS()
	t.Cleanup(d.Close)
	for _, tc := range []struct {
		name, reason string
		trust        settings.SinkTLS
		want         string // of the error; empty = it is delivered
	}{
		{"all that is needed", "the authority, the name and the certificate fit", settings.SinkTLS{CAs: []string{ca.pem()}, Secret: client.identity(t), ServerName: "crm.internal"}, ""},
		{"two authorities", "one is on its way out", settings.SinkTLS{CAs: []string{other.pem(), ca.pem()}, Secret: client.identity(t), ServerName: "crm.internal"}, ""},
		{"a bundle", "several are in one text", settings.SinkTLS{CAs: []string{other.pem() + "\ntext between\n" + ca.pem()}, Secret: client.identity(t), ServerName: "crm.internal"}, ""},
		{"another authority", "it did not sign the server's", settings.SinkTLS{CAs: []string{other.pem()}, Secret: client.identity(t), ServerName: "crm.internal"}, "unknown authority"},
		{"the system's authorities", "none of them signed it", settings.SinkTLS{Secret: client.identity(t), ServerName: "crm.internal"}, "certificate"},
		{"another name", "the certificate has no address", settings.SinkTLS{CAs: []string{ca.pem()}, Secret: client.identity(t)}, "certificate"},
		{"no client certificate", "the server asks for one", settings.SinkTLS{CAs: []string{ca.pem()}, ServerName: "crm.internal"}, "did not answer"},
		{"a stranger's", "the server does not know who signed it", settings.SinkTLS{CAs: []string{ca.pem()}, Secret: stranger.identity(t), ServerName: "crm.internal"}, "did not answer"},
	} {
		seen = ""
		s, err := newSink(trusting(t, d.URL, tc.trust), sink.Environment{}, time.Now)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		err = s.Send(t.Context(), sinktest.Batch(0, 1))
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || sink.IsPermanent(err)) {
			t.Errorf("%s (%s): Send = %v", tc.name, tc.reason, err)
		}
		if tc.want == "" && seen != "client" {
			t.Errorf("%s: the server saw %q", tc.name, seen)
		}
		_ = s.Close()
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good, expired := issue(t, nil, "good", now.Add(time.Hour)), issue(t, nil, "expired", now.Add(-time.Hour))
	another := issue(t, nil, "another", now.Add(time.Hour))
	crossed := &common.KeyPair{Certificate: good.pem(), Key: another.keyPEM(t)}
	for name, tc := range map[string]struct {
		url   string
		trust settings.SinkTLS
		want  string // empty = it is accepted
		// also says that a receiver refuses it, which only looks at what does not change with time.
		also bool
	}{
		"good":                         {"https://example.com", settings.SinkTLS{CAs: []string{good.pem()}, Secret: good.identity(t)}, "", false},
		"not PEM":                      {"https://example.com", settings.SinkTLS{CAs: []string{good.pem(), "MIIB"}}, "tls.cas[1] holds no certificate in PEM", true},
		"a key for an authority":       {"https://example.com", settings.SinkTLS{CAs: []string{good.keyPEM(t)}}, "tls.cas[0] holds no certificate in PEM", true},
		"damaged":                      {"https://example.com", settings.SinkTLS{CAs: []string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}, "tls.cas[0] holds a certificate that cannot be read", true},
		"expired authority":            {"https://example.com", settings.SinkTLS{CAs: []string{expired.pem()}}, "tls.cas[0] has no certificate that has not expired", false},
		"one of a bundle has expired":  {"https://example.com", settings.SinkTLS{CAs: []string{expired.pem() + good.pem()}}, "", false},
		"key of another":               {"https://example.com", settings.SinkTLS{Secret: crossed}, "tls.key is not the key of tls.crt", true},
		"no key":                       {"https://example.com", settings.SinkTLS{Secret: &common.KeyPair{Certificate: good.pem(), Key: good.pem()}}, "tls.key", true},
		"no certificate":               {"https://example.com", settings.SinkTLS{Secret: &common.KeyPair{Certificate: good.keyPEM(t), Key: good.keyPEM(t)}}, "tls.crt holds no certificate", true},
		"expired certificate":          {"https://example.com", settings.SinkTLS{Secret: expired.identity(t)}, "the certificate has expired at", false},
		"a URL that does not need any": {"http://example.com", settings.SinkTLS{CAs: []string{good.pem()}}, "tls needs a url that begins with https", true},
	} {
		text := trusting(t, tc.url, tc.trust)
		_, checked := settings.Parse(text, common.Environment{Now: now})
		_, received := Kind().New(text, sink.Environment{})
		if (checked == nil) != (tc.want == "") || checked != nil && !strings.Contains(checked.Error(), tc.want) {
			t.Errorf("%s: checked: %v, want %q", name, checked, tc.want)
		}
		if (received != nil) != tc.also {
			t.Errorf("%s: at a receiver: %v", name, received)
		}
		for _, secret := range strings.Split(good.keyPEM(t), "\n")[1:3] {
			if strings.Contains(fmt.Sprint(checked, received), secret) {
				t.Errorf("%s: the error holds the key", name)
			}
		}
	}
}
