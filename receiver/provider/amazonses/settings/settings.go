// Package settings reads the settings of an endpoint of Amazon SES, apart from what decodes its requests.
package settings

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
	"github.com/mailvane/mailvane/receiver/settings"
)

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Topics are those that may post, by their ARNs; at least one.
	Topics map[string]topic.Topic
	// Manual leaves it to people to confirm subscriptions.
	Manual bool
	// OnlyVersion2 refuses signatures with SHA-1.
	OnlyVersion2 bool
	// RawDelivery takes messages without the envelope of SNS.
	RawDelivery bool
	// Pinned are certificates that need not be fetched.
	Pinned []*x509.Certificate
}

// Parse decodes an endpoint's settings and refuses what cannot work.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		Manual:       s.ConfirmSubscriptions == SubscriptionConfirmationManual,
		OnlyVersion2: s.RequireSignatureVersion2,
		RawDelivery:  s.RawDelivery,
	}
	switch s.ConfirmSubscriptions {
	case "", SubscriptionConfirmationAutomatic, SubscriptionConfirmationManual:
	default:
		return Parsed{}, errors.New("confirmSubscriptions: must be Automatic or Manual")
	}
	var err error
	if p.Topics, err = topic.ParseAll(s.TopicARNs, func(partition string) bool { return Suffix(partition) != "" }); err != nil {
		return Parsed{}, err
	}
	for i, text := range s.Certificates {
		c, err := keys.ParseCertificate([]byte(text))
		if err != nil {
			return Parsed{}, fmt.Errorf("certificates[%d]: %w", i, err)
		}
		p.Pinned = append(p.Pinned, c)
	}
	return p, nil
}

// Suffix returns what the names of hosts end in that are of a partition of AWS, such as "amazonaws.com"; "" when it is not known. The last
// five are those that the AWS SDK for Java knows.
func Suffix(partition string) string {
	switch partition {
	case "aws", "aws-us-gov":
		return "amazonaws.com"
	case "aws-cn":
		return "amazonaws.com.cn"
	case "aws-iso":
		return "c2s.ic.gov"
	case "aws-iso-b":
		return "sc2s.sgov.gov"
	case "aws-iso-e":
		return "cloud.adc-e.uk"
	case "aws-iso-f":
		return "csp.hci.ic.gov"
	case "aws-eusc":
		return "amazonaws.eu"
	default:
		return ""
	}
}
