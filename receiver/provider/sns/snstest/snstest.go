// Package snstest has what the tests of providers share whose events come through topics of Amazon SNS.
package snstest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed" // the key of the samples
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// DemoKey returns the key that the samples are signed with, in PKCS #8 PEM: the public one of config/samples/quickstart.
func DemoKey() []byte { return demoKey }

//go:embed demo-key.pem
var demoKey []byte

// Key is a key and a certificate of it.
type Key struct {
	// Private is the key, PEM that in PKCS #8.
	Private *rsa.PrivateKey
	PEM     []byte
	// Certificate is its certificate, CertificatePEM that in PEM.
	Certificate    *x509.Certificate
	CertificatePEM []byte
}

// NewKey makes a key and a certificate for it by a template, issued by the key itself if issuer is nil.
func NewKey(t testing.TB, template *x509.Certificate, issuer *Key) *Key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := &Key{Private: private}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	k.PEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	template.SerialNumber, template.BasicConstraintsValid = big.NewInt(1), true
	parent, signer := template, private
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.Private
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer); err != nil {
		t.Fatal(err)
	}
	if k.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	k.CertificatePEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return k
}

// Named returns a template of a certificate with a name, which is valid in 2026.
func Named(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, time.December, 31, 0, 0, 0, 0, time.UTC),
	}
}

// Open returns the message in a body, and what puts another in its place.
func Open(body []byte) (message []byte, replace func([]byte) []byte) {
	var envelope struct{ Message string }
	if json.Unmarshal(body, &envelope) != nil {
		return body, func(message []byte) []byte { return message }
	}
	return []byte(envelope.Message), func(message []byte) []byte {
		return Edit(body, "/Message", string(message))
	}
}

// Edit replaces the text that stands at a JSON Pointer.
func Edit(body []byte, pointer, text string) []byte {
	return wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		if string(at) != pointer || token.Kind() != jsontext.KindString {
			return ""
		}
		return wire.Quote(text)
	})
}

// SignedBytes reports of each byte of a body whether it belongs to a value that is signed, or to what says how.
func SignedBytes(body []byte) []bool {
	covered := make([]bool, len(body))
	var members map[string]jsontext.Value
	if json.Unmarshal(body, &members) != nil {
		return covered
	}
	for _, name := range []string{"Type", "MessageId", "Token", "TopicArn", "Subject", "Message", "SubscribeURL", "Timestamp", "SignatureVersion", "Signature"} {
		value := members[name]
		start := bytes.Index(body, append([]byte(`"`+name+`" : `), value...))
		for i := range value {
			covered[start+len(`"`+name+`" : `)+i] = true
		}
	}
	return covered
}
