package rabbitmqsink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/rabbitmqsink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return newDestination(t, sharedServer(t)).harness() })
}

// TestAMessage looks at what a consumer gets, in each content mode.
func TestAMessage(t *testing.T) {
	t.Parallel()
	m := sinktest.Message(0)
	for _, tc := range []struct{ mode, contentType, body, subject string }{
		{"Structured", "application/cloudevents+json; charset=utf-8", string(m.Envelope), ""},
		{"Binary", "application/json", `{"id":"` + m.ID + `","big":12345678901234567890}`, m.Subject},
	} {
		d := newDestination(t, sharedServer(t))
		must(t, d.open(t, `,"contentMode":"`+tc.mode+`"`).Send(t.Context(), sinktest.Batch(0, 1)))
		got := d.all(t)[0]
		if string(got.Body) != tc.body || got.ContentType != tc.contentType || got.MessageId != m.ID || got.DeliveryMode != amqp.Persistent ||
			got.RoutingKey != "mail.email.sent" || got.Type != m.Type || got.AppId != "mailvane" || got.Timestamp.Unix() != m.Time.Unix() {
			t.Errorf("%s: %+v", tc.mode, got)
		}
		for name, want := range map[string]string{"specversion": "1.0", "id": m.ID, "source": m.Source, "type": m.Type, "partitionkey": m.Key, "subject": tc.subject} {
			if value, _ := got.Headers["cloudEvents_"+name].(string); value != want {
				t.Errorf("%s: header %s is %q, want %q", tc.mode, name, value, want)
			}
		}
	}
}

// TestWhatIsNoEvent costs itself alone.
func TestWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	for mode, spoil := range map[string]func(*sink.Message){
		"Binary":     func(m *sink.Message) { m.Envelope = []byte(`{"id":`) },
		"Structured": func(m *sink.Message) { m.ID = "" },
	} {
		messages := sinktest.Messages(0, 3)
		spoil(&messages[1])
		failed := sink.FailedOf(d.open(t, `,"contentMode":"`+mode+`"`).Send(t.Context(), sink.NewBatch(messages)), 3)
		if len(failed) != 1 || !sink.IsPermanent(failed[1]) {
			t.Errorf("%s: %v", mode, failed)
		}
	}
	if n := len(d.received(t)); n != 4 {
		t.Errorf("%d messages, want 4", n)
	}
}

// TestWhatNoQueueGets comes back, and is told: a server confirms it all the same.
func TestWhatNoQueueGets(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.do(t, "DELETE", "bindings/"+d.name+"/e/"+exchange+"/q/"+queue+"/mail.%23", "")
	d.do(t, "POST", "bindings/"+d.name+"/e/"+exchange+"/q/"+queue, `{"routing_key":"mail.email.sent"}`)
	messages := sinktest.Messages(0, 1000)
	for i := range messages {
		if i%2 == 1 {
			messages[i].Type = "dev.mailvane.email.opened.v1"
		}
	}
	s := d.open(t, "")
	failed := sink.FailedOf(s.Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 500 || sink.CauseOf(failed[1]) != sink.DestinationNotFound || !strings.Contains(failed[1].Error(), `routing key "mail.email.opened"`) {
		t.Errorf("%d failed: %v", len(failed), failed[1])
	}
	must(t, s.Send(t.Context(), sink.NewBatch(messages[:1]))) // on the same channel, of which nothing is left
	if n := len(d.received(t)); n != 501 {
		t.Errorf("%d messages, want 501", n)
	}
}

// TestTheDefaultExchange publishes to a queue.
func TestTheDefaultExchange(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	to := func(queue string) sink.Sink {
		return openWith(t, strings.NewReplacer(`"exchange":"mail",`, "", "mail.{type}", queue).Replace(d.settings("")))
	}
	s := to(queue)
	must(t, s.(sink.Prober).Probe(t.Context()))
	must(t, s.Send(t.Context(), sinktest.Batch(0, 3)))
	if n := len(d.received(t)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	s = to("other")
	for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
		if sink.CauseOf(err) != sink.DestinationNotFound || !strings.Contains(err.Error(), `no queue "other"`) {
			t.Errorf("%s = %v", what, err)
		}
	}
}

// TestWhatIsMissing is told before the first event, and by the first event.
func TestWhatIsMissing(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.do(t, "PUT", "users/nobody", `{"password":"`+password+`","tags":""}`)
	for name, tc := range map[string]struct {
		reason, from, to string
		cause            sink.Cause
		want             string
		probed           bool
	}{
		"exchange":       {"somebody declares it", `"exchange":"mail"`, `"exchange":"other"`, sink.DestinationNotFound, "exchange is not there", true},
		"virtual host":   {"somebody adds it", `"virtualHost":"` + d.name + `"`, `"virtualHost":"other"`, sink.DestinationNotFound, "no such virtual host", true},
		"password":       {"it is another one", `"password":"` + password + `"`, `"password":"another"`, sink.CredentialRefused, "refuses the sink's user", true},
		"permissions":    {"the user has none here", `"username":"` + d.name + `"`, `"username":"nobody"`, sink.CredentialRefused, "no permissions in the virtual host", true},
		"right to write": {"the user has it for another exchange", `"exchange":"mail"`, `"exchange":"amq.topic"`, sink.CredentialRefused, "may not write to the exchange", false},
	} {
		s := openWith(t, strings.Replace(d.settings(""), tc.from, tc.to, 1))
		err := s.(sink.Prober).Probe(t.Context())
		if tc.probed && (sink.CauseOf(err) != tc.cause || !strings.Contains(err.Error(), tc.want)) || !tc.probed && err != nil {
			t.Errorf("%s: Probe = %v, want %q: %s", name, err, tc.want, tc.reason)
		}
		err = s.Send(t.Context(), sinktest.Batch(0, 3))
		if sink.CauseOf(err) != tc.cause || sink.IsPermanent(err) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: Send = %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

// TestAKeyThatTheUserMayNotPublishWith costs the events of that key alone.
func TestAKeyThatTheUserMayNotPublishWith(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.do(t, "PUT", "topic-permissions/"+d.name+"/"+d.name, `{"exchange":"mail","write":"sent$","read":"^$"}`)
	messages := sinktest.Messages(0, 9)
	messages[4].Type = "dev.mailvane.email.opened.v1"
	failed := sink.FailedOf(d.open(t, "").Send(t.Context(), sink.NewBatch(messages)), 9)
	if len(failed) != 1 || sink.CauseOf(failed[4]) != sink.CredentialRefused || !strings.Contains(failed[4].Error(), "topic permission") {
		t.Errorf("failed: %v", failed)
	}
}

// TestAFullQueue keeps what it has, and takes the rest when there is room.
func TestAFullQueue(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.do(t, "DELETE", "queues/"+d.name+"/"+queue, "")
	d.queue(t, `{"x-max-length":5,"x-overflow":"reject-publish"}`)
	s := d.open(t, "")
	failed := sink.FailedOf(s.Send(t.Context(), sinktest.Batch(0, 9)), 9)
	if len(failed) == 0 || len(failed) > 4 || sink.IsPermanent(failed[8]) || !strings.Contains(fmt.Sprint(failed[8]), "full") {
		t.Errorf("failed: %v", failed)
	}
	d.do(t, "DELETE", "queues/"+d.name+"/"+queue+"/contents", "")
	for i := range 9 {
		if failed[i] != nil {
			must(t, s.Send(t.Context(), sinktest.Batch(i, 1)))
		}
	}
}

// TestSeveralNodes has the first one away, and the sink's user told by the second one.
func TestSeveralNodes(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	two := strings.Replace(d.settings(""), `{"addresses":[`, `{"addresses":["127.0.0.1:1",`, 1)
	must(t, openWith(t, two).Send(t.Context(), sinktest.Batch(0, 1)))
	if err := openWith(t, strings.Replace(two, password, "another", 1)).Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != sink.CredentialRefused {
		t.Errorf("Send = %v", err)
	}
}

// TestTheGuardIsAsked has a server at an address that the sink must not reach.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	s, err := rabbitmqsink.Kind().New([]byte(`{"addresses":["127.0.0.1:5672"],"tlsMode":"Disable","basic":{"username":"a","password":"b"}}`), sink.Environment{GuardOwn: true})
	must(t, err)
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
	must(t, s.Close())
}

// TestAfterClose sends nothing.
func TestAfterClose(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	s := d.open(t, "")
	must(t, s.Close())
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) {
		t.Errorf("Send = %v", err)
	}
}

// TestWhatIsNoRabbitMQ listens, and says nothing or something else.
func TestWhatIsNoRabbitMQ(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	s := openWith(t, strings.Replace(d.settings(""), d.server.Address, d.server.Management, 1)) // HTTP
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.Send(ctx, sinktest.Batch(0, 1)); !sink.IsUnreachable(err) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Send = %v", err)
	}
}
