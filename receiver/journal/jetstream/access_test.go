package jetstream_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

// startGuarded starts a server that asks for credentials.
func startGuarded(t *testing.T) (*nats.Cluster, *nats.Authority) {
	t.Helper()
	a, err := nats.NewAuthority()
	mustDo(t, err)
	config, err := a.Config()
	mustDo(t, err)
	return startServers(t, nats.Options{Servers: 1, Config: config}), a
}

func writeCredentials(t *testing.T, path string, a *nats.Authority, p nats.Permissions) {
	t.Helper()
	text, err := a.Credentials(p)
	mustDo(t, err)
	mustDo(t, os.WriteFile(path, text, 0o600))
}

// begin opens a journal that may have a problem.
func begin(t *testing.T, o jetstream.Options) *jetstream.Journal {
	t.Helper()
	j, err := jetstream.Open(o)
	mustDo(t, err)
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // it is empty
	return j
}

func wantProblem(t *testing.T, j *jetstream.Journal, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "the problem speaks of "+text, func() bool { return strings.Contains(j.Stats().Problem, text) })
	}
	if _, err := j.Append(t.Context(), batch(entry("refused", sinkA))); !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Append = %v, want ErrUnavailable", err)
	}
}

// works takes an event through everything that a receiver does with one.
func works(t *testing.T, j *jetstream.Journal, id string) {
	t.Helper()
	eventually(t, "the journal takes events", func() bool { return j.Stats().Problem == "" })
	b := batch(entry(id, sinkA, sinkB))
	b.DeadLetters = []journal.DeadLetter{{Cause: journal.CauseUndecodable, Reason: "test", At: time.Now()}}
	eventually(t, "the event is stored", func() bool { _, err := j.Append(t.Context(), b); return err == nil })
	delivered := false
	deliverUntil(t, j, sinkA, func(got string) bool {
		delivered = delivered || got == id
		return delivered
	})
	if !delivered {
		t.Fatalf("event %s is not delivered in %v", id, patience)
	}
	letters, err := j.DeadLetters().List(t.Context(), 0, 10)
	if err != nil || len(letters) == 0 {
		t.Fatalf("dead letters: %v, %v", letters, err)
	}
	if _, err := j.DeadLetters().Get(t.Context(), letters[0].ID); err != nil {
		t.Error(err)
	}
	if n, err := j.DeadLetters().Drop(t.Context(), []uint64{letters[0].ID}); err != nil || n != 1 {
		t.Errorf("Drop = %d, %v", n, err)
	}
}

// TestCredentialsAreReadAgainWhenTheyChange starts without credentials, gets some that expire, and then others.
func TestCredentialsAreReadAgainWhenTheyChange(t *testing.T) {
	t.Parallel()
	c, a := startGuarded(t)
	o := options(c)
	o.Credentials = filepath.Join(t.TempDir(), "user.creds")
	j := begin(t, o)
	wantProblem(t, j, "user.creds")
	if !j.Stats().Unopened {
		t.Error("a journal that could not be opened yet does not say so")
	}
	expires := time.Now().Add(5 * time.Second)
	writeCredentials(t, o.Credentials, a, nats.Permissions{Expires: expires})
	works(t, j, "1")
	writeCredentials(t, o.Credentials, a, nats.Permissions{})
	eventually(t, "the first credentials expire", func() bool { return time.Now().After(expires.Add(time.Second)) })
	works(t, j, "2")
	if j.Stats().Unopened {
		t.Error("a journal that was open says that it never was")
	}
}

// documented are the permissions that the documentation asks for.
func documented(t *testing.T, create bool) nats.Permissions {
	t.Helper()
	text, err := os.ReadFile("../../../docs/jetstream.md")
	mustDo(t, err)
	p := nats.Permissions{Subscribe: block(t, string(text), "subscribe")}
	p.Publish = block(t, string(text), "publish")
	if create {
		p.Publish = append(p.Publish, block(t, string(text), "publish-create")...)
	}
	return p
}

// block returns the subjects in one block of the documentation, for streams that are named "test".
func block(t *testing.T, text, name string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "```"+name+"\n")
	if !ok {
		t.Fatalf("the documentation has no block %s", name)
	}
	body, _, _ := strings.Cut(rest, "```")
	return strings.Fields(regexp.MustCompile(`\bNAME\b`).ReplaceAllString(body, "test"))
}

// TestTheDocumentedPermissionsAreEnough works with the permissions in docs/jetstream.md, and says what is missing without
// those that create streams until somebody else has created them.
func TestTheDocumentedPermissionsAreEnough(t *testing.T) {
	t.Parallel()
	c, a := startGuarded(t)
	o := options(c)
	o.Credentials = filepath.Join(t.TempDir(), "user.creds")
	writeCredentials(t, o.Credentials, a, documented(t, false))
	j := begin(t, o)
	wantProblem(t, j, "stream test is missing and cannot be created", "lacks a permission", "$JS.API.STREAM.CREATE.test")

	creator := o
	creator.Credentials = filepath.Join(t.TempDir(), "creator.creds")
	writeCredentials(t, creator.Credentials, a, documented(t, true))
	first := open(t, creator)
	works(t, first, "1")
	mustDo(t, first.Close()) // it feeds the sinks
	works(t, j, "2")
}

// TestASlowLookAtTheOldestHoldsNothingUp does not answer what only the statistics need.
func TestASlowLookAtTheOldestHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c, a := startGuarded(t)
	o := options(c)
	o.Credentials = filepath.Join(t.TempDir(), "user.creds")
	p := documented(t, true)
	get := slices.Index(p.Publish, "$JS.API.STREAM.MSG.GET.test")
	p.Publish = slices.Delete(p.Publish, get, get+1)
	writeCredentials(t, o.Credentials, a, p)
	j := open(t, o)
	_, err := j.Append(t.Context(), batch(entry("1", sinkA, sinkB)))
	mustDo(t, err)
	eventually(t, "the event is counted", func() bool { return j.Stats().Pending[sinkA] == 1 })
	wantNext(t, j, "1", 0)
}

// TestTLS asks for a client certificate, and replaces all certificates.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	newAuthority(t).write(t, dir)
	c := startServers(t, nats.Options{Servers: 1, Config: "tls {cert_file: \"" + path("server.pem") + "\", key_file: \"" + path("server-key.pem") +
		"\", ca_file: \"" + path("ca.pem") + "\", verify: true}\n"})
	o := options(c)
	wantProblem(t, begin(t, o), "certificate signed by unknown authority")
	o.CA = path("ca.pem")
	wantProblem(t, begin(t, o), "certificate required")
	o.Certificate, o.Key = path("client.pem"), path("client-key.pem")
	j := open(t, o)
	works(t, j, "1")
	newAuthority(t).write(t, dir)
	mustDo(t, c.Servers[0].Kill())
	mustDo(t, c.Servers[0].Start(t.Context()))
	works(t, j, "2")
}

// TestTheLargestEventCanBecomeADeadLetter gives up the largest event that is taken, for a reason of any length.
func TestTheLargestEventCanBecomeADeadLetter(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	j := open(t, options(c))
	e := entry("1", sinkA)
	for size := 1 << 20; ; size -= 128 {
		e.Payload = make([]byte, size)
		e.DedupeKeys = []string{strconv.Itoa(size)}
		receipt, err := j.Append(t.Context(), batch(e))
		if err != nil || size == 0 {
			t.Fatal(receipt, err)
		}
		if receipt.Accepted == 1 {
			break
		}
	}
	die := func(reason string) error {
		return j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: fetchAll(t, j, 1), Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{
			Cause: journal.CauseRefused, Reason: reason, EventID: strings.Repeat("i", 256), Endpoint: strings.Repeat("e", 300), Route: strings.Repeat("r", 63), At: time.Now(),
		}}})
	}
	if err := die(strings.Repeat(`"`, 8<<10)); err != nil {
		t.Errorf("the largest event cannot be given up: %v", err)
	}
}

// TestAnEventThatIsTooLargeDisturbsNobody sends one that the servers do not take among others, as an array of a provider may: it is one
// dead letter that says why and how it begins, also when the provider sends it again, and the others are stored.
func TestAnEventThatIsTooLargeDisturbsNobody(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	j := open(t, options(c))
	large := entry("large", sinkA)
	large.Payload = bytes.Repeat([]byte("{"), 3<<20)
	item := journal.DeadLetter{Cause: journal.CauseUndecodable, Reason: strings.Repeat("\x00", 70_000), Endpoint: "mail/ee", Payload: bytes.Repeat([]byte("["), 2<<20), At: time.Now()}
	b := batch(entry("before", sinkA), large, entry("behind", sinkA))
	b.DeadLetters = []journal.DeadLetter{item}
	receipt, err := j.Append(t.Context(), b)
	if err != nil || receipt != (journal.Receipt{Accepted: 2, DeadLettered: 2}) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if receipt, err = j.Append(t.Context(), batch(large)); err != nil || receipt != (journal.Receipt{Duplicates: 1}) {
		t.Errorf("sent again: %+v, %v", receipt, err)
	}
	letters, err := j.DeadLetters().List(t.Context(), 0, 10)
	mustDo(t, err)
	if len(letters) != 2 {
		t.Fatalf("%d dead letters", len(letters))
	}
	for i, want := range []string{"{{{", "[[["} {
		l, err := j.DeadLetters().Get(t.Context(), letters[i].ID)
		mustDo(t, err)
		if len(l.Payload) < 1<<19 || !strings.HasPrefix(string(l.Payload), want) || i == 0 && !strings.Contains(l.Reason, "max_payload") {
			t.Errorf("%s %q of %d bytes", l.Cause, l.Reason[:min(200, len(l.Reason))], len(l.Payload))
		}
	}
	if problem := j.Stats().Problem; problem != "" {
		t.Errorf("it counts as a problem of the journal: %s", problem)
	}
	wantNext(t, j, "before", 0)
	wantNext(t, j, "behind", 0)
}

// TestEventsAreDeliveredWithoutTheDeadLetters deletes the stream of the dead letters, which the receiver must not make.
func TestEventsAreDeliveredWithoutTheDeadLetters(t *testing.T) {
	t.Parallel()
	c, a := startGuarded(t)
	creator := options(c)
	creator.Credentials = filepath.Join(t.TempDir(), "creator.creds")
	writeCredentials(t, creator.Credentials, a, nats.Permissions{})
	mustDo(t, open(t, creator).Close())
	o := options(c)
	o.Credentials = filepath.Join(t.TempDir(), "user.creds")
	writeCredentials(t, o.Credentials, a, documented(t, false))
	j := open(t, o)
	admin, end := dial(t, c.URLs()[0], client.UserCredentials(creator.Credentials))
	defer end()
	mustDo(t, admin.DeleteStream(t.Context(), "test-dead"))
	eventually(t, "the problem is noticed", func() bool { return strings.Contains(j.Stats().Problem, "test-dead") })
	_, err := j.Append(t.Context(), batch(entry("1", sinkA)))
	mustDo(t, err)
	wantNext(t, j, "1", 0)
}
