package keys

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
)

// ParseCertificates returns the certificates of a text in PEM, of which there must be one.
func ParseCertificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("holds a certificate that cannot be read")
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	return all, nil
}

// ParseCertificate returns the first certificate of a text in PEM.
func ParseCertificate(text []byte) (*x509.Certificate, error) {
	all, err := ParseCertificates(text)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ParseOnlyCertificate returns the certificate of a text in PEM that holds it and nothing else.
func ParseOnlyCertificate(text []byte) (*x509.Certificate, error) {
	text = bytes.TrimSpace(text)
	if _, rest := pem.Decode(text); !bytes.HasPrefix(text, []byte("-----BEGIN CERTIFICATE-----")) || len(rest) > 0 {
		return nil, errors.New("holds other than one certificate in PEM")
	}
	return ParseCertificate(text)
}

// Certificates returns a store of the certificates that stand at URLs, which are their ids; what may be asked for is to be checked
// before. Of a file with several it takes the first. A nil client fetches nothing.
func Certificates(r *Registry, client *http.Client) *Store[*x509.Certificate] {
	return certificates(r, client, "certificates", ParseCertificate)
}

// OnlyCertificates is like [Certificates], for a publisher whose files hold one certificate and nothing else.
func OnlyCertificates(r *Registry, client *http.Client) *Store[*x509.Certificate] {
	return certificates(r, client, "only certificates", ParseOnlyCertificate)
}

func certificates(r *Registry, client *http.Client, name string, parse func([]byte) (*x509.Certificate, error)) *Store[*x509.Certificate] {
	return Shared(r, name, func() *Store[*x509.Certificate] {
		if client == nil {
			return NewStore[*x509.Certificate](nil)
		}
		return NewStore(func(ctx context.Context, address string) (*x509.Certificate, error) {
			data, err := Get(ctx, client, address)
			if err != nil {
				return nil, err
			}
			return parse(data)
		})
	})
}
