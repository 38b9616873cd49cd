package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/internal/simulate"
)

var errNotDelivered = errors.New("not everything was delivered in time")

// tally is what became of one provider's requests.
type tally struct {
	provider, source   string
	requests, accepted int
}

// count adds what one answer says. The answers to a provider's handshake have forms of their own and accept no event.
func (t *tally) count(body []byte) {
	t.requests++
	var receipt struct {
		Accepted int `json:"accepted"`
	}
	if err := json.Unmarshal(body, &receipt); err == nil {
		t.accepted += receipt.Accepted
	}
}

// report is what the demo says at the end.
type report struct {
	table   table
	summary string
}

func (r *report) write(w io.Writer) error {
	fmt.Fprintln(w)
	if err := r.table.write(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.summary)
	return err
}

func (d *demo) report() report {
	r := report{table: table{header: []string{"PROVIDER", "REQUESTS", "ACCEPTED", "DELIVERED", "TYPES"}}}
	var sent, accepted, delivered int
	for _, t := range d.tallies {
		arrived, types := d.arrivals.of(t.source)
		sent, accepted, delivered = sent+t.requests, accepted+t.accepted, delivered+arrived
		r.table.rows = append(r.table.rows, []string{
			t.provider, strconv.Itoa(t.requests), strconv.Itoa(t.accepted), strconv.Itoa(arrived), strconv.Itoa(types),
		})
	}
	r.summary = fmt.Sprintf("sent=%d accepted=%d delivered=%d deadlettered=%d", sent, accepted, delivered, d.instance.Status().DeadLetters)
	return r
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

// invite prints the URLs and a request to try by hand.
func (d *demo) invite(ctx context.Context) {
	if r := d.report(); r.write(d.out) != nil {
		return // nobody reads
	}
	d.arrivals.say("\nThe receiver goes on running. Its endpoints:\n")
	for _, e := range d.instance.Endpoints() {
		d.arrivals.say("  %-28s http://%s%s\n", e.Provider, d.instance.Address(), e.Path)
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
