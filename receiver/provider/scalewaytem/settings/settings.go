// Package settings reads the settings of an endpoint of Scaleway TEM, apart from what decodes its requests.
package settings

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
	"github.com/mailvane/mailvane/receiver/settings"
)

// partition is that of Scaleway in the ARN of a topic.
const partition = "scw"

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Topics are those that may post, by their ARNs; at least one.
	Topics map[string]topic.Topic
	// Manual leaves it to people to confirm subscriptions.
	Manual bool
	// Authorities issue the certificates that sign.
	Authorities *x509.CertPool
	// Pinned are certificates that sign and need not be fetched.
	Pinned []*x509.Certificate
}

// Parse decodes an endpoint's settings and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Manual: s.ConfirmSubscriptions == SubscriptionConfirmationManual, Authorities: x509.NewCertPool()}
	switch s.ConfirmSubscriptions {
	case "", SubscriptionConfirmationAutomatic, SubscriptionConfirmationManual:
	default:
		return Parsed{}, errors.New("confirmSubscriptions: must be Automatic or Manual")
	}
	var err error
	if p.Topics, err = topic.ParseAll(s.TopicARNs, func(of string) bool { return of == partition }); err != nil {
		return Parsed{}, err
	}
	if len(s.CertificateAuthorities) == 0 {
		return Parsed{}, errors.New("certificateAuthorities: must hold at least one certificate: certificates that sign stand on a host where others can put files")
	}
	for i, text := range s.CertificateAuthorities {
		if err := p.trust([]byte(text)); err != nil {
			return Parsed{}, fmt.Errorf("certificateAuthorities[%d]: %w", i, err)
		}
	}
	return p, nil
}

// trust adds the certificates of a text in PEM.
func (p *Parsed) trust(text []byte) error {
	all, err := keys.ParseCertificates(text)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.IsCA {
			p.Authorities.AddCert(c)
		} else {
			p.Pinned = append(p.Pinned, c)
		}
	}
	return nil
}
