package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/internal/simulate"
)

var errNotDelivered = errors.New("not everything was delivered in time")

// count adds what one answer says was accepted.
func (d *demo) count(body []byte) error {
	var receipt struct {
		Accepted int `json:"accepted"`
	}
	if err := json.Unmarshal(body, &receipt); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	d.counts.accepted += receipt.Accepted
	return nil
}

// settle waits until the sinks have everything that they are owed.
func (d *demo) settle(ctx context.Context) error {
	deadline := time.Now().Add(demoSettle)
	for {
		status := d.instance.Status()
		if status.Pending == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %d deliveries are pending", errNotDelivered, status.Pending)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *demo) summary() string {
	return fmt.Sprintf("sent=%d accepted=%d delivered=%d deadlettered=%d",
		d.counts.sent, d.counts.accepted, d.arrivals.distinct(), d.instance.Status().DeadLetters)
}

// invite prints the URLs and a request to try by hand.
func (d *demo) invite(ctx context.Context) {
	d.arrivals.say("\n%s\n\nThe receiver goes on running. Its endpoints:\n", d.summary())
	for _, e := range d.instance.Endpoints() {
		d.arrivals.say("  %-14s http://%s%s\n", e.Provider, d.instance.Address(), e.Path)
	}
	if command, err := d.curl(ctx); err == nil {
		d.arrivals.say("\nTry it by hand, twice to see the duplicate, and with one byte changed to see it refused:\n\n%s\n", command)
	}
	d.arrivals.say("\nWhat is stored and what failed:\n\n  mailvane deadletter list --admin http://%s\n\nCtrl-C ends it.\n", d.instance.AdminAddress())
}

// curl returns one signed request as a command line.
func (d *demo) curl(ctx context.Context) (string, error) {
	target, err := d.folder.find("emailengine", nil)
	if err != nil {
		return "", err
	}
	target.BaseURL = "http://" + d.instance.Address()
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	body := `{"account":"demo","date":"` + now + `","event":"trackOpen","data":{"messageId":"<` + uniqueText() + `@example.com>"}}`
	request, err := target.Request(ctx, &simulate.Sample{Body: []byte(body)}, "", time.Now())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("  curl -H 'X-EE-Wh-Signature: %s' -d '%s' %s", request.Header.Get("X-EE-Wh-Signature"), body, request.URL), nil
}
