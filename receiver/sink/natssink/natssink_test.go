package natssink_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/natssink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/nats"
)

// password is that of the sink, which no error may hold.
const password = "s3cret-8d1f"

// users are the sink's and that of the test.
const users = "authorization {users: [{user: mailvane, password: " + password + "}, {user: admin, password: admin}]}\n"

// asAdmin connects the test.
func asAdmin() client.Option { return client.UserInfo("admin", "admin") }

// destination is a server with a stream.
type destination struct {
	server  *nats.Server
	connect []client.Option
	// running says that the server does, and changed that its configuration is not what it was.
	running, changed bool
}

// start starts a server. An empty configuration stands for that of the users.
func start(t *testing.T, config string, connect ...client.Option) *destination {
	t.Helper()
	if config == "" {
		config, connect = users, []client.Option{asAdmin()}
	}
	c, err := nats.Start(t.Context(), nats.Options{Servers: 1, Dir: t.TempDir(), Config: config, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &destination{server: c.Servers[0], running: true, connect: connect}
	d.stream(t, nil)
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask calls use with a connection of the test.
func (d *destination) ask(t *testing.T, use func(jetstream.JetStream)) {
	t.Helper()
	nc, err := client.Connect(d.server.URL(), d.connect...)
	must(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(t, err)
	use(js)
}

// stream makes the stream of the events, or changes it.
func (d *destination) stream(t *testing.T, change func(*jetstream.StreamConfig)) {
	t.Helper()
	config := jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.>"}, Discard: jetstream.DiscardNew, Duplicates: time.Minute}
	if change != nil {
		change(&config)
	}
	d.ask(t, func(js jetstream.JetStream) {
		_, err := js.CreateOrUpdateStream(t.Context(), config)
		must(t, err)
	})
}

// all returns the messages of the stream.
func (d *destination) all(t *testing.T) (messages []jetstream.Msg) {
	t.Helper()
	d.ask(t, func(js jetstream.JetStream) {
		stream, err := js.Stream(t.Context(), "MAIL")
		must(t, err)
		info, err := stream.Info(t.Context())
		must(t, err)
		consumer, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
		must(t, err)
		reader, err := consumer.Messages()
		must(t, err)
		defer reader.Stop()
		for range info.State.Msgs {
			m, err := reader.Next()
			must(t, err)
			messages = append(messages, m)
		}
	})
	return messages
}

func (d *destination) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range d.all(t) {
		var e struct{ ID string }
		must(t, json.Unmarshal(m.Data(), &e))
		ids = append(ids, e.ID)
	}
	return ids
}

// heal ends whatever fails.
func (d *destination) heal(t *testing.T) {
	t.Helper()
	if d.changed {
		d.kill(t)
		d.configure(t, users)
	}
	if !d.running {
		must(t, d.server.Start(t.Context()))
		d.running = true
	}
	d.stream(t, nil)
}

// configure changes who may connect from the next start on.
func (d *destination) configure(t *testing.T, to string) {
	t.Helper()
	d.changed = to != users
	must(t, d.server.Configure(func(text string) string {
		before, _, _ := strings.Cut(text, "authorization")
		return before + to
	}))
}

func (d *destination) kill(t *testing.T) {
	t.Helper()
	must(t, d.server.Kill())
	d.running = false
}

func (d *destination) fail(change func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		d.heal(t)
		change(t)
	}
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"urls":[%q],"subject":"mail.{type}.{provider}","stream":"MAIL",%s}`, d.server.URL(), more)
}

const basic = `"authentication":{"basic":{"username":"mailvane","password":"` + password + `"}}`

func (d *destination) harness() sinktest.Harness {
	return sinktest.Harness{
		Kind: natssink.Kind(), Settings: d.settings(basic), Secrets: []string{password}, Received: d.received,
		Break: d.kill,
		Mend: func(t *testing.T) {
			must(t, d.server.Start(t.Context()))
			d.running = true
		},
		Stall: func(t *testing.T) { must(t, d.server.Pause()) },
		Bound: func(t *testing.T, bytes int) {
			d.stream(t, func(c *jetstream.StreamConfig) { c.MaxMsgSize = int32(bytes) })
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent: d.fail(func(t *testing.T) { d.stream(t, func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1 }) }),
			sinktest.Transient: d.fail(func(t *testing.T) { // it is full
				d.ask(t, func(js jetstream.JetStream) {
					_, err := js.Publish(t.Context(), "mail.first", nil)
					must(t, err)
				})
				d.stream(t, func(c *jetstream.StreamConfig) { c.MaxMsgs = 1 })
			}),
			sinktest.BadCredential: d.fail(func(t *testing.T) {
				d.kill(t)
				d.configure(t, strings.ReplaceAll(users, password, "another"))
				must(t, d.server.Start(t.Context()))
				d.running = true
			}),
			sinktest.NoDestination: d.fail(func(t *testing.T) {
				d.ask(t, func(js jetstream.JetStream) { must(t, js.DeleteStream(t.Context(), "MAIL")) })
			}),
			sinktest.Unreachable: d.fail(d.kill),
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return start(t, "").harness() })
}

// open opens a sink with settings beside those that lead to the destination.
func (d *destination) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	s, err := natssink.Kind().New([]byte(d.settings(more)), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it says nothing
	return s
}

// TestAMessage looks at what a consumer gets.
func TestAMessage(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	must(t, d.open(t, basic).Send(t.Context(), sinktest.Batch(0, 1)))
	m := d.all(t)[0]
	if want := string(sinktest.Message(0).Envelope); string(m.Data()) != want {
		t.Errorf("data: %s, want %s", m.Data(), want)
	}
	if h := m.Headers(); m.Subject() != "mail.email.sent.test" || h.Get("Nats-Msg-Id") != sinktest.ID(0) ||
		h.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" || h.Get("Nats-Expected-Stream") != "MAIL" {
		t.Errorf("subject %s, headers %v", m.Subject(), h)
	}
}

// TestWhatIsSentAgainIsStoredOnce has the server killed between the answer that it could not give and the next attempt.
func TestWhatIsSentAgainIsStoredOnce(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 50)))
	d.kill(t)
	must(t, d.server.Start(t.Context()))
	must(t, s.Send(t.Context(), sinktest.Batch(0, 100)))
	if got := len(d.received(t)); got != 100 {
		t.Errorf("%d messages are stored of 100 events", got)
	}
}

// TestOneThatTheServerDoesNotTake has an event that is larger than the server's max_payload: the client refuses it.
func TestOneThatTheServerDoesNotTake(t *testing.T) {
	t.Parallel()
	d := start(t, users+"max_payload: 64KB\n", asAdmin())
	messages := sinktest.Messages(0, 5)
	messages[2].Envelope = make([]byte, 65<<10)
	failed := sink.FailedOf(d.open(t, basic).Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 1 || !sink.IsPermanent(failed[2]) || len(d.received(t)) != 4 {
		t.Errorf("failed: %v", failed)
	}
}

// TestEveryWayToAuthenticate connects by each.
func TestEveryWayToAuthenticate(t *testing.T) {
	t.Parallel()
	authority, err := nats.NewAuthority()
	must(t, err)
	operator, err := authority.Config()
	must(t, err)
	file, err := authority.Credentials(nats.Permissions{})
	must(t, err)
	pair, err := nkeyPair()
	must(t, err)
	text := func(s string) string { out, _ := json.Marshal(s); return string(out) }
	for name, tc := range map[string]struct {
		config  string
		connect client.Option
		more    string
	}{
		"user":        {users, asAdmin(), basic},
		"token":       {"authorization {token: t0ken}\n", client.Token("t0ken"), `"authentication":{"token":"t0ken"}`},
		"nkey":        {"authorization {users: [{nkey: " + pair.public + "}]}\n", client.Nkey(pair.public, pair.sign), `"authentication":{"nkeySeed":` + text(pair.seed) + `}`},
		"credentials": {operator, client.UserCredentialBytes(file), `"authentication":{"credentials":` + text(string(file)) + `}`},
		"nothing":     {"max_payload: 1MB\n", client.Name("test"), `"tls":{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t, tc.config, tc.connect)
			s := d.open(t, tc.more)
			must(t, s.(sink.Prober).Probe(t.Context()))
			must(t, s.Send(t.Context(), sinktest.Batch(0, 2)))
			if name == "nothing" {
				return
			}
			if err := d.open(t, `"tls":{}`).Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != sink.CredentialRefused {
				t.Errorf("without it: %v", err)
			}
		})
	}
}

// TestPermissions has users that lack one. What is not permitted is not answered, and must not wait until the attempt's time is over.
func TestPermissions(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, publish, subscribe string
		want                       string // of Send; empty = it is delivered
	}{
		"able":   {"a probe that may not ask knows nothing bad", "mail.>", "_INBOX.>", ""},
		"silent": {"it is told which subject", "other.>", "_INBOX.>", `may not publish to subject "mail.email.sent.test"`},
		"deaf":   {"it is told which subjects", "mail.>", "other", "_INBOX.>"},
	}
	config := "authorization {users: [{user: admin, password: admin}"
	for user, tc := range cases {
		config += fmt.Sprintf(", {user: %s, password: %s, permissions: {publish: %q, subscribe: %q}}", user, password, tc.publish, tc.subscribe)
	}
	d := start(t, config+"]}\n", asAdmin())
	for user, tc := range cases {
		s := d.open(t, fmt.Sprintf(`"authentication":{"basic":{"username":%q,"password":%q}}`, user, password))
		err := s.Send(t.Context(), sinktest.Batch(0, 3))
		if tc.want == "" {
			must(t, err)
			must(t, s.(sink.Prober).Probe(t.Context()))
		} else if sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %s: %v, want %q", user, tc.reason, err, tc.want)
		}
	}
}

// TestProbesSayWhatIsMissing asks for what is not there.
func TestProbesSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	for name, tc := range map[string]struct{ reason, subject, stream, want string }{
		"by subject":     {"a stream takes some of the subjects", "mail.{type}", "", ""},
		"by one subject": {"a stream takes it", "mail.events", "", ""},
		"within a token": {"what stands before it is looked for", "mail.x-{type}", "", ""},
		"no subject":     {"it says how to add one", "other.{type}", "", `nats stream add --subjects "other.>"`},
		"anything":       {"any stream may take it", "{type}", "", ""},
		"no stream":      {"it says how to add it", "mail.{type}", "POST", `nats stream add POST --subjects "mail.>"`},
		"stream":         {"it is there", "mail.{type}", "MAIL", ""},
	} {
		text := fmt.Sprintf(`{"urls":[%q],"subject":%q,"stream":%q,%s}`, d.server.URL(), tc.subject, tc.stream, basic)
		s, err := natssink.Kind().New([]byte(text), sink.Environment{})
		must(t, err)
		err = s.(sink.Prober).Probe(t.Context())
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, tc.reason)
			}
		} else if sink.CauseOf(err) != sink.DestinationNotFound || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
		must(t, s.Close())
	}
}

// TestAnotherStream has the subjects moved to a stream that is not the sink's.
func TestAnotherStream(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	s := d.open(t, basic)
	d.ask(t, func(js jetstream.JetStream) {
		must(t, js.DeleteStream(t.Context(), "MAIL"))
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"mail.>"}})
		must(t, err)
	})
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != sink.DestinationNotFound || !strings.Contains(err.Error(), "another stream") {
		t.Errorf("Send = %v", err)
	}
}

// TestAWriteThatDoesNotEnd sends more than fits into the buffers of a connection to a server that reads nothing.
func TestAWriteThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	d := start(t, users+"max_payload: 8MB\n", asAdmin())
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	must(t, d.server.Pause())
	messages := sinktest.Messages(1, 8)
	for i := range messages {
		messages[i].Envelope = make([]byte, 4<<20)
	}
	ctx, cancel := contextFor(t)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Send(ctx, sink.NewBatch(messages)) }()
	select {
	case err := <-ended:
		if err == nil || sink.IsPermanent(err) {
			t.Errorf("Send = %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Send does not end with its context")
	}
	must(t, d.server.Resume())
	if err := s.Send(t.Context(), sinktest.Batch(9, 1)); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

// TestTheGuardIsAsked has a server at an address that the sink must not reach.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	s, err := natssink.Kind().New([]byte(`{"urls":["nats://127.0.0.1:4222"]}`), sink.Environment{GuardOwn: true})
	must(t, err)
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
	must(t, s.Close())
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); err == nil {
		t.Errorf("Send after Close = %v", err)
	}
}
