// Package settings reads the settings of an EventBridge sink, apart from what puts events.
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

// Parsed is where and how events are put.
type Parsed struct {
	BusARN, Region, Endpoint, Source string
	Account                          account.Settings
	// TLS is nil for the defaults.
	TLS *tls.Config
}

// buses have the region as their fourth part.
var buses = regexp.MustCompile(`^arn:[a-z0-9-]+:events:([a-z0-9-]+):[0-9]{12}:event-bus/[A-Za-z0-9/_.-]+$`)

// sources are those that an event may have: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
var sources = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)

// Parse decodes a sink's settings and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Source: "mailvane"}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{BusARN: s.BusARN, Endpoint: s.Endpoint, Source: s.Source, Account: account.Settings(s.Authentication)}
	var errs []error
	if parts := buses.FindStringSubmatch(s.BusARN); parts != nil {
		p.Region = parts[1]
	} else {
		errs = append(errs, errors.New("busARN must be the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/mail"))
	}
	if !sources.MatchString(s.Source) || strings.HasPrefix(s.Source, "aws.") {
		errs = append(errs, errors.New("source must be letters, digits and . _ / -, and aws. must not be its beginning"))
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
