// Package authority issues certificates for tests of connections with TLS.
package authority

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
	"os"
	"path/filepath"
	"time"
)

// validFor is how long certificates are valid, from an hour before they are made.
const validFor = 24 * time.Hour

// Authority signs certificates.
type Authority struct {
	// PEM is its own certificate.
	PEM string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Identity is a certificate and its key, in PEM. Its JSON is that of the settings of sinks.
type Identity struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// New returns an authority that nobody knows yet.
func New() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	a := &Authority{key: key}
	template := certificate("authority")
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	a.PEM = text("CERTIFICATE", der)
	return a, nil
}

func certificate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validFor - time.Hour), BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func text(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// Issue returns a certificate for a server or a client of a name.
func (a *Authority) Issue(name string) (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate(name), a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	return &Identity{Certificate: text("CERTIFICATE", der), Key: text("PRIVATE KEY", pkcs8)}, nil
}

// Client is the configuration of a client with an identity, for a server of a name.
func (a *Authority) Client(i *Identity, server string) (*tls.Config, error) {
	pair, err := tls.X509KeyPair([]byte(i.Certificate), []byte(i.Key))
	if err != nil {
		return nil, fmt.Errorf("read an identity: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: []tls.Certificate{pair}, ServerName: server}, nil
}

// fileMode is that of keys.
const fileMode = 0o600

// Write writes server.crt and server.key of an identity, and ca.crt, into a folder.
func (a *Authority) Write(dir string, i *Identity) error {
	for name, content := range map[string]string{"server.crt": i.Certificate, "server.key": i.Key, "ca.crt": a.PEM} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), fileMode); err != nil {
			return fmt.Errorf("write certificates: %w", err)
		}
	}
	return nil
}
