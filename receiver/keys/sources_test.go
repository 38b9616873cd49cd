package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/signature"
)

func privateKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func serve(t *testing.T, status int, body []byte) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestSet looks up keys of a set that holds more than what is usable.
func TestSet(t *testing.T) {
	t.Parallel()
	key := privateKey(t)
	encode := func(k jose.JSONWebKey) json.RawMessage {
		data, err := k.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	document, err := json.Marshal(map[string]any{"keys": []json.RawMessage{
		json.RawMessage(`{"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA"}`), // a kind that we do not know
		encode(jose.JSONWebKey{Key: &key.PublicKey, KeyID: "for-encryption", Use: "enc"}),
		encode(jose.JSONWebKey{Key: key, KeyID: "private"}),
		json.RawMessage(`{"kty": "oct", "kid": "symmetric", "k": "c2VjcmV0"}`),
		encode(jose.JSONWebKey{Key: &key.PublicKey, KeyID: "good", Use: "sig"}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, http.StatusOK, document)
	set := keys.Set(nil, server.Client(), server.URL)
	got, err := set.Key(t.Context(), "good", received())
	if err != nil || !key.PublicKey.Equal(got.Key) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, id := range []string{"new", "for-encryption", "private", "symmetric", "nobody"} {
		if _, err := set.Key(t.Context(), id, received().Add(time.Hour)); !errors.Is(err, signature.ErrUnknownKey) {
			t.Errorf("%s: got %v, want ErrUnknownKey", id, err)
		}
	}
}

// TestSetThatIsNone checks that a key set which is missing or no set decides nothing about a key.
func TestSetThatIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"a page":   {http.StatusOK, "<html>"},
		"no keys":  {http.StatusOK, "{}"},
		"missing":  {http.StatusNotFound, ""},
		"an error": {http.StatusBadGateway, ""},
		"a move":   {http.StatusFound, ""},
	} {
		server := serve(t, c.status, []byte(c.body))
		if _, err := keys.Set(nil, server.Client(), server.URL).Key(t.Context(), "good", received()); err == nil || errors.Is(err, signature.ErrUnknownKey) {
			t.Errorf("%s: got %v, want a failure that is no refusal", name, err)
		}
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	key := privateKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signer"}, NotAfter: received()}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := append([]byte("a comment\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	server := serve(t, http.StatusOK, text)
	got, err := keys.Certificates(nil, server.Client()).Key(t.Context(), server.URL, received())
	if err != nil || got.Subject.CommonName != "signer" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := keys.OnlyCertificates(nil, server.Client()).Key(t.Context(), server.URL, received()); err == nil {
		t.Error("a comment beside the only certificate is taken")
	}
	alone := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if got, err := keys.ParseOnlyCertificate(append(alone, '\n')); err != nil || got.Subject.CommonName != "signer" {
		t.Errorf("alone: %v, %v", got, err)
	}
	for _, text := range []string{"", string(alone) + string(alone), string(alone) + "more", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))} {
		if _, err := keys.ParseOnlyCertificate([]byte(text)); err == nil {
			t.Errorf("%q is one certificate", text)
		}
	}
	for _, text := range []string{"", "no PEM", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1, 2}})), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))} {
		if _, err := keys.ParseCertificate([]byte(text)); err == nil {
			t.Errorf("%q is a certificate", text)
		}
	}
}
