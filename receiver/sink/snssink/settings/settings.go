// Package settings reads the settings of an SNS sink, apart from what publishes messages.
package settings

import (
	"crypto/tls"
	"errors"
	"regexp"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
)

// Parsed is where and how messages are published.
type Parsed struct {
	TopicARN, Region, Endpoint string
	// FIFO says that the topic keeps the order of groups and knows messages again.
	FIFO    bool
	Account account.Settings
	// TLS is nil for the defaults.
	TLS *tls.Config
}

// topics have the region as their fourth part.
var topics = regexp.MustCompile(`^arn:[a-z0-9-]+:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]+([.]fifo)?$`)

// Parse decodes a sink's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{TopicARN: s.TopicARN, Endpoint: s.Endpoint, FIFO: strings.HasSuffix(s.TopicARN, ".fifo"), Account: account.Settings(s.Authentication)}
	var errs []error
	if parts := topics.FindStringSubmatch(s.TopicARN); parts != nil {
		p.Region = parts[1]
	} else {
		errs = append(errs, errors.New("topicARN must be the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:mail-events"))
	}
	config, err := sinktls.Config(sinktls.Settings(s.TLS), env)
	if p.TLS = config; config != nil && !strings.HasPrefix(s.Endpoint, "https:") {
		err = errors.New("tls needs an endpoint that begins with https://")
	}
	if err := errors.Join(append(errs, err, account.CheckEndpoint(s.Endpoint), p.Account.Check())...); err != nil {
		return Parsed{}, err
	}
	return p, nil
}
