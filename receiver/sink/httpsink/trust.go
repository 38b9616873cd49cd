package httpsink

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// trust is whom the sink believes, and how it shows who it is. All texts are in PEM.
type trust struct {
	CAs        []string  `json:"cas"`
	Secret     *identity `json:"secret"`
	ServerName string    `json:"serverName"`
}

// identity is a certificate, with those between it and an authority behind it, and its key.
type identity struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// setTLS also refuses what has expired at a time, unless that is zero.
func (t *target) setTLS(s *trust, at time.Time) error {
	if s == nil {
		return nil
	}
	if !strings.HasPrefix(t.url, "https:") {
		return errors.New("tls needs a url that begins with https://")
	}
	t.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	return errors.Join(t.setAuthorities(s.CAs, at), t.setIdentity(s.Secret, at))
}

// setAuthorities believes those certificates and no others. Of those in one text some may have expired, as in bundles, but not all.
func (t *target) setAuthorities(texts []string, at time.Time) error {
	if len(texts) == 0 {
		return nil
	}
	t.tls.RootCAs = x509.NewCertPool()
	for i, text := range texts {
		certificates, err := parseCertificates(text)
		if err != nil {
			return fmt.Errorf("tls.cas[%d] %w", i, err)
		}
		expired := true
		for _, c := range certificates {
			t.tls.RootCAs.AddCert(c)
			expired = expired && hasExpired(c, at)
		}
		if expired {
			return fmt.Errorf("tls.cas[%d] has no certificate that has not expired; the last one of it did at %s",
				i, certificates[len(certificates)-1].NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func (t *target) setIdentity(s *identity, at time.Time) error {
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
	case hasExpired(certificates[0], at):
		return fmt.Errorf("tls.secret: the certificate has expired at %s; renew it", certificates[0].NotAfter.UTC().Format(time.RFC3339))
	}
	t.tls.Certificates = []tls.Certificate{pair}
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

func hasExpired(c *x509.Certificate, at time.Time) bool { return !at.IsZero() && at.After(c.NotAfter) }
