package redissink_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	client "github.com/redis/go-redis/v9"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/redissink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/redis"
)

const (
	// password is that of the sink, which no error may hold.
	password = "s3cret-8d1f"
	// required has the tests fail where there is no server. Continuous integration sets it.
	required = "MAILVANE_REQUIRE_SERVERS"
	// users are the sink's, with the least rights, and that of the test.
	users = "user default on >admin ~* &* +@all\nuser mailvane on >" + password + " ~mail:* +xadd +ping\n"
	key   = "mail:events"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// destination is a server.
type destination struct {
	server  *redis.Server
	running bool
	admin   *client.Client
}

// start starts a server, or skips the test where there is none.
func start(t *testing.T, config string, arguments ...string) *destination {
	t.Helper()
	server, err := redis.Start(t.Context(), t.TempDir(), config, arguments...)
	if errors.Is(err, redis.ErrMissing) && os.Getenv(required) == "" {
		t.Skip(err)
	}
	must(t, err)
	d := &destination{server: server, running: true, admin: client.NewClient(&client.Options{Addr: server.Address, Password: "admin", Protocol: 2})}
	t.Cleanup(func() {
		_ = d.admin.Close()
		must(t, server.Kill())
	})
	return d
}

// do runs a command of the test.
func (d *destination) do(t *testing.T, command string) any {
	t.Helper()
	var arguments []any
	for word := range strings.FieldsSeq(command) {
		arguments = append(arguments, word)
	}
	answer, err := d.admin.Do(t.Context(), arguments...).Result()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return answer
}

func (d *destination) received(t *testing.T) (ids []string) {
	t.Helper()
	entries, err := d.admin.XRange(t.Context(), key, "-", "+").Result()
	must(t, err)
	for _, e := range entries {
		ids = append(ids, fmt.Sprint(e.Values["id"]))
	}
	return ids
}

func (d *destination) mend(t *testing.T) {
	t.Helper()
	if !d.running {
		must(t, d.server.Start(t.Context()))
		d.running = true
	}
}

func (d *destination) kill(t *testing.T) {
	t.Helper()
	must(t, d.server.Kill())
	d.running = false
}

// fail ends whatever fails, and has it fail in another way.
func (d *destination) fail(commands ...string) func(*testing.T) {
	return func(t *testing.T) {
		d.mend(t)
		for _, command := range append([]string{"CONFIG SET maxmemory 0", "ACL SETUSER mailvane resetpass >" + password, "DEL " + key}, commands...) {
			d.do(t, command)
		}
	}
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"addresses":[%q],"stream":%q,"tlsMode":"Disable",%s}`, d.server.Address, key, more)
}

const basic = `"basic":{"username":"mailvane","password":"` + password + `"}`

func harness(t *testing.T) sinktest.Harness {
	d := start(t, users)
	return sinktest.Harness{
		Kind: redissink.Kind(), Settings: d.settings(basic), Secrets: []string{password}, Received: d.received,
		Break: d.kill, Mend: d.mend,
		Stall: func(t *testing.T) { must(t, d.server.Pause()) },
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Transient:     d.fail("CONFIG SET maxmemory 1"),
			sinktest.BadCredential: d.fail("ACL SETUSER mailvane resetpass >another", "CLIENT KILL USER mailvane"),
			sinktest.NoDestination: d.fail("SET " + key + " text"),
			sinktest.Unreachable: func(t *testing.T) {
				d.fail()(t)
				d.kill(t)
			},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, harness)
}

func (d *destination) open(t *testing.T, settings string) sink.Sink {
	t.Helper()
	s, err := redissink.Kind().New([]byte(settings), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestAnEntry looks at what a consumer gets.
func TestAnEntry(t *testing.T) {
	t.Parallel()
	d := start(t, users)
	s := d.open(t, strings.Replace(d.settings(basic+`,"maxLength":1000`), key, "mail:{type}:{provider}", 1))
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	entries, err := d.admin.XRange(t.Context(), "mail:email.sent:test", "-", "+").Result()
	must(t, err)
	if len(entries) != 1 || entries[0].Values["id"] != sinktest.ID(0) || entries[0].Values["event"] != string(sinktest.Message(0).Envelope) {
		t.Errorf("entries: %v", entries)
	}
}

// TestAStreamIsKeptShort adds more than a stream is to keep.
func TestAStreamIsKeptShort(t *testing.T) {
	t.Parallel()
	d := start(t, users)
	s := d.open(t, d.settings(basic+`,"maxLength":100`))
	for i := range 10 {
		must(t, s.Send(t.Context(), sinktest.Batch(100*i, 100)))
	}
	if n := len(d.received(t)); n < 100 || n > 300 {
		t.Errorf("%d entries are kept, want about 100", n)
	}
}

// TestOneStreamOfMany has one key of a batch taken by something else: the others are added.
func TestOneStreamOfMany(t *testing.T) {
	t.Parallel()
	d := start(t, users)
	d.do(t, "SET mail:email.opened text")
	s := d.open(t, strings.Replace(d.settings(basic), key, "mail:{type}", 1))
	messages := sinktest.Messages(0, 3)
	messages[1].Type = "dev.mailvane.email.opened.v1"
	failed := sink.FailedOf(s.Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 1 || sink.CauseOf(failed[1]) != sink.DestinationNotFound {
		t.Errorf("failed: %v", failed)
	}
}

// TestEveryWayToAuthenticate connects by each, and without.
func TestEveryWayToAuthenticate(t *testing.T) {
	t.Parallel()
	d := start(t, users)
	for name, tc := range map[string]struct {
		more string
		want sink.Cause
	}{
		"user and password": {basic, ""},
		"password":          {`"password":"admin"`, ""},
		"other password":    {`"password":"` + password + `"`, sink.CredentialRefused},
		"nothing":           {`"database":0`, sink.CredentialRefused},
		"other key":         {basic + `,"stream":"other"`, sink.CredentialRefused},
	} {
		settings := d.settings(tc.more)
		if strings.Contains(tc.more, "stream") {
			settings = strings.Replace(settings, fmt.Sprintf(`"stream":%q,`, key), "", 1)
		}
		err := d.open(t, settings).Send(t.Context(), sinktest.Batch(0, 1))
		if (err == nil) != (tc.want == "") || err != nil && (sink.CauseOf(err) != tc.want || strings.Contains(err.Error(), password)) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// TestACluster adds to streams in the slots of a cluster.
func TestACluster(t *testing.T) {
	t.Parallel()
	d := start(t, "cluster-enabled yes\ncluster-announce-ip 127.0.0.1\nuser default on >admin ~* &* +@all\n")
	d.do(t, "CLUSTER ADDSLOTSRANGE 0 16383")
	for ready := ""; !strings.Contains(ready, "cluster_state:ok"); {
		ready = fmt.Sprint(d.do(t, "CLUSTER INFO"))
	}
	s := d.open(t, strings.Replace(d.settings(`"mode":"Cluster","password":"admin"`), key, "mail:{type}", 1))
	messages := sinktest.Messages(0, 20)
	for i := range messages {
		messages[i].Type = fmt.Sprintf("dev.mailvane.email.t%d.v1", i%7)
	}
	must(t, s.(sink.Prober).Probe(t.Context()))
	must(t, s.Send(t.Context(), sink.NewBatch(messages)))
	if n := d.admin.XLen(t.Context(), "mail:email.t0").Val(); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// TestSentinels has sentinels say where the master is.
func TestSentinels(t *testing.T) {
	t.Parallel()
	d := start(t, "user default on nopass ~* &* +@all\n")
	host, port, _ := strings.Cut(d.server.Address, ":")
	sentinel := start(t, fmt.Sprintf("sentinel monitor mymaster %s %s 1\n", host, port), "--sentinel")
	s := d.open(t, fmt.Sprintf(`{"addresses":[%q],"mode":"Sentinel","masterName":"mymaster","stream":%q,"tlsMode":"Disable"}`, sentinel.server.Address, key))
	must(t, s.Send(t.Context(), sinktest.Batch(0, 3)))
	if n := len(d.received(t)); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	other := d.open(t, fmt.Sprintf(`{"addresses":[%q],"mode":"Sentinel","masterName":"other","tlsMode":"Disable"}`, sentinel.server.Address))
	if err := other.Send(t.Context(), sinktest.Batch(0, 1)); err == nil || sink.IsPermanent(err) {
		t.Errorf("a master that nobody knows: %v", err)
	}
}

// TestTheGuardIsAsked has a server at an address that the sink must not reach.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	s, err := redissink.Kind().New([]byte(`{"addresses":["127.0.0.1:6379"]}`), sink.Environment{GuardOwn: true})
	must(t, err)
	defer s.Close() //nolint:errcheck // it says nothing
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
}
