package amazonses_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/amazonses"
	"github.com/mailvane/mailvane/receiver/provider"
	ses "github.com/mailvane/mailvane/receiver/provider/amazonses"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

const snsHost = "sns.eu-west-1.amazonaws.com"

// received is when requests arrive.
func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 6, 0, time.UTC) }

func webhook(t testing.TB, settings string, env provider.Environment) provider.Webhook {
	t.Helper()
	w, err := ses.Kind().New([]byte(settings), env)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// publisher stands for SNS, whose certificates it has by their paths, and takes note of what it is asked.
type publisher struct {
	files map[string]string

	mu    sync.Mutex
	asked []string
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Host+r.URL.Path)
	p.mu.Unlock()
	text, found := p.files[r.URL.Path]
	switch {
	case r.URL.Path == "/moved.pem":
		http.Redirect(w, r, "https://"+snsHost+"/good.pem", http.StatusFound)
	case !found:
		http.NotFound(w, r)
	default:
		_, _ = w.Write([]byte(text))
	}
}

func (p *publisher) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// environment returns one in which each host is the publisher, with a certificate for the one of SNS.
func (p *publisher) environment(t testing.TB) provider.Environment {
	return p.environmentOf(t, "eu-west-1")
}

func (p *publisher) environmentOf(t testing.TB, region string) provider.Environment {
	t.Helper()
	host := snstest.NewKey(t, snstest.Named("sns."+region+".amazonaws.com"), nil)
	server := httptest.NewUnstartedServer(p)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{host.Certificate.Raw}, PrivateKey: host.Private}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(host.Certificate)
	return provider.Environment{HTTPClient: &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
			},
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Time: received},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// message returns a signed sample with another SigningCertURL, which is not signed.
func message(t testing.TB, key *snstest.Key, sample, address string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: sampleBody(t, sample), ReceivedAt: received()}
	if err := amazonses.Sign([]byte(settingsOf(t, "", string(key.CertificatePEM))), key.PEM, r); err != nil {
		t.Fatal(err)
	}
	r.Body = snstest.Edit(r.Body, "/SigningCertURL", address)
	return r
}

// sampleBody returns the body of a sample.
func sampleBody(t testing.TB, name string) []byte {
	t.Helper()
	file, err := amazonses.Files().Open("samples/" + name + ".http")
	if err != nil {
		t.Fatal(err)
	}
	return bodyOf(t, file)
}

func parseTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func reason(err error) string {
	if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
		return string(refused.Reason)
	}
	if err != nil {
		return "undecided"
	}
	return ""
}

// TestFetchedCertificates shows which certificates are trusted that stand where they may.
func TestFetchedCertificates(t *testing.T) {
	t.Parallel()
	key := snstest.NewKey(t, snstest.Named("sns.amazonaws.com"), nil)
	issue := func(template *x509.Certificate) string {
		return string(certify(t, template, key))
	}
	at := func(name string, notBefore, notAfter time.Time) *x509.Certificate {
		template := snstest.Named(name)
		template.NotBefore, template.NotAfter = notBefore, notAfter
		return template
	}
	year := 365 * 24 * time.Hour
	p := &publisher{files: map[string]string{
		"/SimpleNotificationService-0123456789abcdef.pem": string(key.CertificatePEM),
		"/good.pem":     string(key.CertificatePEM),
		"/byregion.pem": issue(snstest.Named("sns-signing.eu-west-1.amazonaws.com")),
		"/expired.pem":  issue(at("sns.amazonaws.com", received().Add(-year), received().Add(-time.Second))),
		"/future.pem":   issue(at("sns.amazonaws.com", received().Add(time.Second), received().Add(year))),
		"/foreign.pem":  issue(snstest.Named("sns.example.com")),
		"/region.pem":   issue(snstest.Named("sns-signing.eu-south-1.amazonaws.com")),
		"/two.pem":      string(key.CertificatePEM) + string(key.CertificatePEM),
		"/text.pem":     "<p>" + string(key.CertificatePEM),
		"/ecdsa.pem":    string(ecdsaCertificate(t)),
	}}
	for path, want := range map[string]struct{ reason, why string }{
		"SimpleNotificationService-0123456789abcdef.pem": {"", "as AWS names them"},
		"byregion.pem": {"", "the name in regions that are newer"},
		"expired.pem":  {"unknown_key", "it was valid until a second ago"},
		"future.pem":   {"unknown_key", "it will be valid in a second"},
		"foreign.pem":  {"unknown_key", "it is nobody's that signs for SNS"},
		"region.pem":   {"unknown_key", "it is that of another region"},
		"two.pem":      {"undecided", "a file of SNS holds one certificate"},
		"text.pem":     {"undecided", "a file of SNS holds nothing else"},
		"ecdsa.pem":    {"unknown_key", "SNS signs with RSA"},
		"missing.pem":  {"unknown_key", "there is none"},
		"moved.pem":    {"undecided", "no redirect is followed"},
	} {
		w := webhook(t, `{"topicARNs": ["`+topicARN+`"]}`, p.environment(t)) // each with lookups of its own
		_, err := w.Verify(t.Context(), message(t, key, "bounce", "https://"+snsHost+"/"+path))
		if got := reason(err); got != want.reason {
			t.Errorf("%s: %q (%v), want %q: %s", path, got, err, want.reason, want.why)
		}
	}
	for _, asked := range p.requests() {
		if asked == snsHost+"/good.pem" {
			t.Error("the redirect was followed")
		}
	}
}

// certify issues a certificate of a key by a template.
func certify(t testing.TB, template *x509.Certificate, key *snstest.Key) []byte {
	t.Helper()
	template.SerialNumber = key.Certificate.SerialNumber
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.Private.PublicKey, key.Private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func ecdsaCertificate(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := snstest.Named("sns.amazonaws.com")
	template.SerialNumber = snstest.NewKey(t, snstest.Named("other"), nil).Certificate.SerialNumber
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestNothingIsFetchedFromElsewhere has URLs of certificates that are not those of SNS in the region of the topic, and a topic that is not
// listed.
func TestNothingIsFetchedFromElsewhere(t *testing.T) {
	t.Parallel()
	key := snstest.NewKey(t, snstest.Named("sns.amazonaws.com"), nil)
	p := &publisher{files: map[string]string{"/good.pem": string(key.CertificatePEM)}}
	w := webhook(t, `{"topicARNs": ["`+topicARN+`"]}`, p.environment(t))
	for _, address := range []string{
		"http://" + snsHost + "/good.pem",
		"https://" + snsHost + ".evil.example/good.pem",
		"https://" + snsHost + "@evil.example/good.pem",
		"https://user:password@" + snsHost + "/good.pem",
		"https://evil.example/" + snsHost + "/good.pem",
		"https://s3.amazonaws.com/" + snsHost + "/good.pem",
		"https://sns.eu-west-2.amazonaws.com/good.pem", // the region is that of the listed topic
		"https://sns.eu-west-1.amazonaws.com.cn/good.pem",
		"https://" + snsHost + ":8443/good.pem",
		"https://" + snsHost + ":443/good.pem",
		"https://" + snsHost + "./good.pem",
		"https://" + snsHost + "/good.key",
		"https://" + snsHost + "/good.pem?version=2",
		"https://" + snsHost + "/good.pem?",
		"https://" + snsHost + "/good.pem#fragment",
		"https://" + snsHost + "/?Action=GetTopicAttributes&x=.pem",
		"https://" + snsHost + "/a/../good.pem",
		"https://" + snsHost + "/a%2fgood.pem",
		"https://" + snsHost + "//good.pem",
		"https:/" + snsHost + "/good.pem", "https:" + snsHost + "/good.pem", "//" + snsHost + "/good.pem", "good.pem", "", "https://%zz/good.pem",
		"https://" + snsHost + "/" + strings.Repeat("a", 512) + ".pem",
	} {
		if _, err := w.Verify(t.Context(), message(t, key, "bounce", address)); reason(err) != "unknown_key" {
			t.Errorf("%s: %v, want a refusal", address, err)
		}
	}
	foreign := webhook(t, `{"topicARNs": ["arn:aws:sns:eu-west-1:999999999999:ses-events"]}`, p.environment(t))
	if _, err := foreign.Verify(t.Context(), message(t, key, "bounce", "https://"+snsHost+"/good.pem")); reason(err) != "sender_not_allowed" {
		t.Errorf("a topic that is not listed: %v", err)
	}
	if asked := p.requests(); len(asked) != 0 {
		t.Errorf("fetched %v", asked)
	}
	if _, err := w.Verify(t.Context(), message(t, key, "bounce", "https://"+snsHost+"/good.pem")); err != nil || len(p.requests()) != 1 {
		t.Errorf("the certificate itself: %v", err)
	}
}

// TestPinnedCertificates needs no connection, and takes a certificate whatever its dates: those of the samples have passed.
func TestPinnedCertificates(t *testing.T) {
	t.Parallel()
	w := webhook(t, settingsOf(t, "", demoCertificate(t)), provider.Environment{})
	r := &provider.Request{Body: sampleBody(t, "bounce"), ReceivedAt: received().AddDate(20, 0, 0)}
	proof, err := w.Verify(t.Context(), r)
	if err != nil || len(proof.Key) != 16 {
		t.Errorf("key %q, %v", proof.Key, err)
	}
	r.Body = snstest.Edit(r.Body, "/SigningCertURL", "https://"+snsHost+"/other.pem")
	if again, err := w.Verify(t.Context(), r); err != nil || again != proof {
		t.Errorf("the URL, which is not signed, names the key: %v, %v", again, err)
	}
	r.Body = snstest.Edit(r.Body, "/SigningCertURL", "https://evil.example/other.pem")
	if _, err := w.Verify(t.Context(), r); reason(err) != "unknown_key" {
		t.Errorf("a URL of somebody else: %v", err)
	}
}

// TestEnvelopes shows what no signature makes good.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	bounce := string(sampleBody(t, "bounce"))     // version 1
	delivery := string(sampleBody(t, "delivery")) // version 2
	member := func(body, old, replacement string) string {
		changed := strings.Replace(body, old, replacement, 1)
		if changed == body {
			t.Fatalf("%s does not occur", old)
		}
		return changed
	}
	var envelope struct{ MessageId, Subject string } //nolint:revive // the name of the member
	if err := json.Unmarshal([]byte(bounce), &envelope); err != nil {
		t.Fatal(err)
	}
	subject := `  "Subject" : "` + envelope.Subject + "\",\n"
	withoutSubject := sampleBody(t, "delivery-notification")
	for name, c := range map[string]struct{ body, settings, want, why string }{
		"version 1":                  {bounce, "", "", "the default of topics"},
		"version 2":                  {delivery, "", "", "what a topic can be set to"},
		"version 2, required":        {delivery, `, "requireSignatureVersion2": true`, "", "it is"},
		"version 1, not enough":      {bounce, `, "requireSignatureVersion2": true`, "signature_malformed", "SHA-1 is refused"},
		"version 1 called 2":         {member(bounce, `"SignatureVersion" : "1"`, `"SignatureVersion" : "2"`), "", "unknown_key", "the version is not signed, and no other verifies"},
		"version 3":                  {member(bounce, `"SignatureVersion" : "1"`, `"SignatureVersion" : "3"`), "", "signature_malformed", "nobody knows it"},
		"version as a number":        {member(bounce, `"SignatureVersion" : "1"`, `"SignatureVersion" : 1`), "", "signature_malformed", "it is a text"},
		"no signature":               {member(bounce, `"Signature" :`, `"Signature2" :`), "", "signature_missing", "nobody signed it"},
		"no base64":                  {member(bounce, `"Signature" : "`, `"Signature" : "*`), "", "signature_malformed", "base64 that is none"},
		"a null subject":             {member(string(withoutSubject), `"Message" :`, `"Subject" : null, "Message" :`), "", "", "null is absent, as in what Lambda gets"},
		"an empty subject":           {member(string(withoutSubject), `"Message" :`, `"Subject" : "", "Message" :`), "", "unknown_key", "what is there is signed"},
		"a topic twice":              {member(bounce, `"TopicArn" :`, `"TopicArn" : "arn:aws:sns:eu-west-1:999999999999:t", "TopicArn" :`), "", "signature_malformed", "nobody knows which"},
		"a message twice":            {member(bounce, `"Message" :`, `"Message" : "{}", "Message" :`), "", "signature_malformed", "nobody knows which"},
		"a name twice, read by none": {member(bounce, `"Type" :`, `"a": 1, "a": 2, "Type" :`), "", "signature_malformed", "SNS sends no such envelope"},
		"another type":               {member(bounce, `"Type" : "Notification"`, `"Type" : "Alarm"`), "", "signature_malformed", "it is not known what of it is signed"},
		"the subject in the id": {
			member(member(bounce, subject, ""), envelope.MessageId, envelope.MessageId+`\nSubject\n`+envelope.Subject), "", "signature_malformed",
			"the same bytes are signed, and the id would be another",
		},
		"a confirmation of a notification": {member(bounce, `"Type" : "Notification"`, `"Type" : "SubscriptionConfirmation"`), "", "unknown_key", "the type is signed"},
		"bare":                             {`{"eventType": "Bounce"}`, "", "signature_missing", "raw delivery is not expected"},
		"a sentence":                       {"hello", "", "signature_malformed", "it is no envelope"},
		"an array":                         {"[" + bounce + "]", "", "signature_malformed", "SNS posts one message"},
		"two":                              {bounce + bounce, "", "signature_malformed", "SNS posts one message"},
		"not UTF-8":                        {member(bounce, `"Message" : "`, "\"Message\" : \"\xff"), "", "signature_malformed", "it could not be signed as it is read"},
	} {
		w := webhook(t, settingsOf(t, c.settings, demoCertificate(t)), provider.Environment{})
		_, err := w.Verify(t.Context(), &provider.Request{Body: []byte(c.body), ReceivedAt: received()})
		if got := reason(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q: %s", name, got, err, c.want, c.why)
		}
	}
}
