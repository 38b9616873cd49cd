// Package scalewaytem reads what Scaleway Transactional Email tells of messages through a topic of Scaleway Topics and Events, which speaks
// the protocol of Amazon SNS.
//
// Sources: scaleway.com/en/docs, pages "Webhook events payloads" of Transactional Email, "Verifying webhooks" and "Topics and Events
// actions supported".
package scalewaytem

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scalewaytem/settings"
	"github.com/mailvane/mailvane/receiver/provider/sns"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
)

// Type is the provider's name in WebhookEndpoint.spec.provider.type.
const Type = "ScalewayTEM"

// Kind describes Scaleway Transactional Email.
func Kind() provider.Kind {
	return provider.Kind{Type: Type, New: newWebhook, DecodeHeaders: sns.DecodeHeaders()}
}

// certificateHost is where the certificates of all regions stand: a store of objects, where others put theirs as well. So a certificate is
// trusted for who issued it.
const certificateHost = "messaging.s3.fr-par.scw.cloud"

// webhook is one endpoint.
type webhook struct{ sns.Endpoint }

func newWebhook(data []byte, env provider.Environment) (provider.Webhook, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("scalewaytem: %w", err)
	}
	return &webhook{sns.Endpoint{
		Provider: Type, Topics: s.Topics, Manual: s.Manual, Pinned: s.Pinned, Certificates: keys.Certificates(env.Keys, env.HTTPClient),
		Service: sns.Service{
			Signs:       signs,
			ConfirmHost: func(t *topic.Topic) string { return "sns.mnq." + t.Region + ".scaleway.com" },
			Trusts: func(_ *topic.Topic, c *x509.Certificate, at time.Time) bool {
				_, err := c.Verify(x509.VerifyOptions{Roots: s.Authorities, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
				return err == nil
			},
		},
	}}, nil
}

// signs reports whether a URL is that of a certificate for the region of a topic, such as
// https://messaging.s3.fr-par.scw.cloud/fr-par/sns/<name>.pem.
func signs(t *topic.Topic, at *url.URL) bool {
	return at.Host == certificateHost && at.RawPath == "" && path.Clean(at.Path) == at.Path &&
		strings.HasPrefix(at.Path, "/"+t.Region+"/sns/") && strings.HasSuffix(at.Path, ".pem")
}
