// Package sinktls makes of a sink's certificates what connections with TLS are made with. It is the same for all sinks.
package sinktls

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/settings"
)

// Settings are whom a sink believes, and how it shows who it is: the members that every tls of the API has.
type Settings struct {
	// CAs are the certificates, in PEM, of the authorities that are believed; none = those of the machine.
	CAs []string
	// Secret is the certificate of the sink; nil = it has none.
	Secret *settings.KeyPair
	// ServerName is the name that the destination's certificate must have; empty = that of its address.
	ServerName string
}

// Config returns the configuration of connections, or nil for the defaults. It refuses what cannot be read, and what has expired where
// env says so; the errors begin with the member, and hold neither certificate nor key.
func Config(s Settings, env settings.Environment) (*tls.Config, error) {
	if len(s.CAs) == 0 && s.Secret == nil && s.ServerName == "" {
		return nil, nil //nolint:nilnil // the defaults
	}
	b := &builder{config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}, env: env}
	if err := errors.Join(b.setAuthorities(s.CAs), b.setIdentity(s.Secret)); err != nil {
		return nil, err
	}
	return b.config, nil
}

type builder struct {
	config *tls.Config
	env    settings.Environment
}

// setAuthorities believes those certificates and no others. Of those in one text some may have expired, as in bundles, but not all.
func (b *builder) setAuthorities(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	b.config.RootCAs = x509.NewCertPool()
	for i, text := range texts {
		certificates, err := parseCertificates(text)
		if err != nil {
			return fmt.Errorf("tls.cas[%d] %w", i, err)
		}
		expired := true
		for _, c := range certificates {
			b.config.RootCAs.AddCert(c)
			expired = expired && b.env.Expired(c.NotAfter)
		}
		if expired {
			return fmt.Errorf("tls.cas[%d] has no certificate that has not expired; the last one of it did at %s",
				i, certificates[len(certificates)-1].NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func (b *builder) setIdentity(s *settings.KeyPair) error {
	if s == nil {
		return nil
	}
	certificates, err := parseCertificates(s.Certificate)
	if err != nil {
		return fmt.Errorf("tls.secret: tls.crt %w", err)
	}
	pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(s.Key))
	switch {
	case err != nil:
		return fmt.Errorf("tls.secret: tls.key is not the key of tls.crt: %w", err) // the cause quotes neither
	case b.env.Expired(certificates[0].NotAfter):
		return fmt.Errorf("tls.secret: the certificate has expired at %s; renew it", certificates[0].NotAfter.UTC().Format(time.RFC3339))
	}
	b.config.Certificates = []tls.Certificate{pair}
	return nil
}

// parseCertificates returns the certificates of a text in PEM, at least one. The error says what the text does wrong.
func parseCertificates(text string) (certificates []*x509.Certificate, err error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, errors.New(`holds no certificate in PEM ("-----BEGIN CERTIFICATE-----")`)
	}
	return certificates, nil
}
