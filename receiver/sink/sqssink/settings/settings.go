// Package settings reads the settings of an SQS sink, apart from what sends messages.
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

// Parsed is where and how messages are sent.
type Parsed struct {
	QueueURL, Region, Endpoint string
	// FIFO says that the queue keeps the order of groups and knows messages again.
	FIFO    bool
	Account account.Settings
	// TLS is nil for the defaults.
	TLS *tls.Config
}

var (
	queues  = regexp.MustCompile(`^https?://[^/?#@\s]+/[A-Za-z0-9/_.-]+$`)
	regions = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// Parse decodes a sink's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		QueueURL: s.QueueURL, Region: s.Region, Endpoint: s.Endpoint, FIFO: strings.HasSuffix(s.QueueURL, ".fifo"), Account: account.Settings(s.Authentication),
	}
	var errs []error
	if !queues.MatchString(s.QueueURL) {
		errs = append(errs, errors.New("queueURL must be the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/mail-events"))
	}
	if !regions.MatchString(s.Region) {
		errs = append(errs, errors.New("region must be the name of a region, such as eu-west-1"))
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
