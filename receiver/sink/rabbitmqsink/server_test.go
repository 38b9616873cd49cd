package rabbitmqsink_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/rabbitmqsink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
	"github.com/mailvane/mailvane/test/rabbitmq"
)

// TestAServerThatIsKilled has one killed in the middle of 10,000 events, and started again. It tells no message from one that it has, so
// what had no confirm may be there twice.
func TestAServerThatIsKilled(t *testing.T) {
	t.Parallel()
	server := ownServer(t, rabbitmq.Options{})
	d := newDestination(t, server)
	h := d.harness()
	h.Break = func(t *testing.T) { must(t, server.Kill()) }
	h.Mend = func(t *testing.T) { must(t, server.Start(t.Context())) }
	sinktest.Recover(t, h)

	s := d.open(t, "")
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	must(t, server.Kill())
	for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
		if sink.CauseOf(err) != sink.DestinationUnreachable {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestAnAlarm has the server read no more, which it says, until there is memory again.
func TestAnAlarm(t *testing.T) {
	t.Parallel()
	server := ownServer(t, rabbitmq.Options{})
	d := newDestination(t, server)
	s := d.open(t, "")
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	must(t, server.Control(t.Context(), "set_vm_memory_high_watermark", "absolute", "1"))
	time.Sleep(time.Second) // the alarm is raised by who looks now and then
	for range 3 {
		err := s.Send(t.Context(), sinktest.Batch(1, 5))
		if after := sink.RetryAfter(err); after <= 0 || after > sinktest.ThrottledFor || sink.IsPermanent(err) || !strings.Contains(err.Error(), "memory") {
			t.Errorf("Send = %v", err)
		}
	}
	if err := s.(sink.Prober).Probe(t.Context()); sink.RetryAfter(err) <= 0 {
		t.Errorf("Probe = %v", err)
	}
	must(t, server.Control(t.Context(), "set_vm_memory_high_watermark", "0.4"))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err := s.Send(t.Context(), sinktest.Batch(1, 5)); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	distinct := map[string]bool{}
	for _, id := range d.received(t) {
		distinct[id] = true
	}
	if len(distinct) != 6 {
		t.Errorf("%d different events, want 6", len(distinct))
	}
}

// TestAServerThatStalls reads and answers nothing: sends and probes end with their context, and the sink can be closed.
func TestAServerThatStalls(t *testing.T) {
	t.Parallel()
	server := ownServer(t, rabbitmq.Options{})
	d := newDestination(t, server)
	s, connecting := d.open(t, ""), d.open(t, "")
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	must(t, server.Pause())
	large := sinktest.Messages(1, 8) // more than fits into the buffers of a connection
	for i := range large {
		large[i].Envelope = make([]byte, 4<<20)
	}
	for name, call := range map[string]func(context.Context) error{
		"a small one":   func(ctx context.Context) error { return s.Send(ctx, sinktest.Batch(1, 2)) },
		"a large one":   func(ctx context.Context) error { return s.Send(ctx, sink.NewBatch(large)) },
		"a probe":       s.(sink.Prober).Probe,
		"a connection":  func(ctx context.Context) error { return connecting.Send(ctx, sinktest.Batch(1, 2)) },
		"another probe": connecting.(sink.Prober).Probe,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Error("Close does not end")
	}
	must(t, server.Resume())
	must(t, connecting.Send(t.Context(), sinktest.Batch(3, 1)))
}

// TestCertificates has a server that asks for one, and knows users by theirs alone.
func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "rabbitmq.internal"
	a, err := authority.New()
	must(t, err)
	identity, err := a.Issue(name)
	must(t, err)
	me, err := a.Issue("mailvane")
	must(t, err)
	dir := t.TempDir()
	must(t, a.Write(dir, identity))
	server := ownServer(t, rabbitmq.Options{Config: strings.ReplaceAll(`listeners.ssl.1 = @secure@
ssl_options.cacertfile = DIR/ca.crt
ssl_options.certfile = DIR/server.crt
ssl_options.keyfile = DIR/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
`, "DIR", dir)})
	d := newDestination(t, server)
	d.do(t, "PUT", "users/mailvane", `{"password_hash":"","tags":""}`)
	d.do(t, "PUT", "permissions/"+d.name+"/mailvane", `{"configure":"^$","write":"^mail$","read":"^$"}`)
	settings := func(more, tls string) string {
		return fmt.Sprintf(`{"addresses":[%q],"virtualHost":%q,"exchange":%q,"routingKey":"mail.{type}",%s"tls":%s}`, server.Secure, d.name, exchange, more, tls)
	}
	sinktest.Trusts(t, sinktest.Trust{
		Kind: rabbitmqsink.Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string {
			return settings(fmt.Sprintf(`"basic":{"username":%q,"password":%q},`, d.name, password), tls)
		},
	})
	stranger, err := a.Issue("stranger")
	must(t, err)
	for who, want := range map[*authority.Identity]sink.Cause{me: "", stranger: sink.CredentialRefused} {
		tls, err := json.Marshal(map[string]any{"cas": []string{a.PEM}, "secret": who, "serverName": name})
		must(t, err)
		s := openWith(t, settings("", string(tls)))
		for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
			if (err == nil) != (want == "") || err != nil && sink.CauseOf(err) != want {
				t.Errorf("EXTERNAL: %s = %v, want %q", what, err, want)
			}
		}
	}
}
