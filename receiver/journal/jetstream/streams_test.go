package jetstream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/test/nats"
)

// good are streams as a user makes them, larger than needed.
func good() (events, dead natsjs.StreamConfig) {
	events = natsjs.StreamConfig{
		Name: "test", Subjects: []string{"test.sink.*", "test.key"}, Retention: natsjs.WorkQueuePolicy, Discard: natsjs.DiscardNew,
		MaxBytes: 2 << 30, Duplicates: 48 * time.Hour, AllowAtomicPublish: true, AllowMsgTTL: true, Description: "made by hand",
	}
	dead = natsjs.StreamConfig{
		Name: "test-dead", Subjects: []string{"test.dead"}, Discard: natsjs.DiscardNew, Duplicates: 48 * time.Hour, AllowAtomicPublish: true,
	}
	return events, dead
}

// TestAStreamWithWrongSettingsIsRefusedUntilItIsMended has each wrong setting named, and mends them while the journal waits.
func TestAStreamWithWrongSettingsIsRefusedUntilItIsMended(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	_, dead := good()
	_, err := admin.CreateStream(t.Context(), dead)
	mustDo(t, err)
	for text, spoil := range map[string]func(*natsjs.StreamConfig){
		"retention is Limits and must be WorkQueue":              func(s *natsjs.StreamConfig) { s.Retention = natsjs.LimitsPolicy },
		"storage is Memory and must be File":                     func(s *natsjs.StreamConfig) { s.Storage, s.MaxBytes = natsjs.MemoryStorage, 64<<20 },
		"discard is DiscardOld and must be DiscardNew":           func(s *natsjs.StreamConfig) { s.Discard = natsjs.DiscardOld },
		"max bytes is 1048576 and must be 1073741824 or more":    func(s *natsjs.StreamConfig) { s.MaxBytes = 1 << 20 },
		"max age is 48h0m0s and must be unlimited":               func(s *natsjs.StreamConfig) { s.MaxAge = 48 * time.Hour },
		"duplicate window is 2m0s and must be 24h0m0s or more":   func(s *natsjs.StreamConfig) { s.Duplicates = 2 * time.Minute },
		"allow atomic publish is false and must be true":         func(s *natsjs.StreamConfig) { s.AllowAtomicPublish = false },
		"allow message TTL is false and must be true":            func(s *natsjs.StreamConfig) { s.AllowMsgTTL = false },
		"max messages per subject is 5 and must be unlimited":    func(s *natsjs.StreamConfig) { s.MaxMsgsPerSubject = 5 },
		"subjects is [test.key] and must be [test.sink.* test.k": func(s *natsjs.StreamConfig) { s.Subjects = []string{"test.key"} },
	} {
		wrong, _ := good()
		spoil(&wrong)
		_, err := admin.CreateStream(t.Context(), wrong)
		mustDo(t, err)
		j := begin(t, options(c))
		wantProblem(t, j, "stream test has wrong settings", text)
		mustDo(t, admin.DeleteStream(t.Context(), "test"))
		right, _ := good()
		_, err = admin.CreateStream(t.Context(), right)
		mustDo(t, err)
		works(t, j, "1")
		mustDo(t, j.Close())
		mustDo(t, admin.DeleteStream(t.Context(), "test"))
	}
}

// TestTooFewReplicas asks for three where a stream has one.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	events, dead := good()
	for _, s := range []natsjs.StreamConfig{events, dead} {
		_, err := admin.CreateStream(t.Context(), s)
		mustDo(t, err)
	}
	o := options(c)
	o.Replicas = 3
	wantProblem(t, begin(t, o), "replicas is 1 and must be 3 or more")
}

// TestAStreamThatLosesReplicasIsSaid scales each stream of a running journal down and up.
func TestAStreamThatLosesReplicasIsSaid(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 3})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	j := open(t, options(c))
	scale := func(name string, replicas int) {
		t.Helper()
		stream, err := admin.Stream(t.Context(), name)
		mustDo(t, err)
		config := stream.CachedInfo().Config
		config.Replicas = replicas
		_, err = admin.UpdateStream(t.Context(), config)
		mustDo(t, err)
	}
	for _, name := range []string{"test", "test-dead"} {
		scale(name, 1)
		eventually(t, "it is said of "+name, func() bool {
			return strings.HasPrefix(j.Stats().Warning, "stream "+name+" is kept on 1 servers and should be on 3; ")
		})
		scale(name, 3)
		eventually(t, "nothing is amiss any more", func() bool { return j.Stats().Warning == "" })
	}
	works(t, j, "1")
}

// TestStreamsOfOthersAreNotChanged adopts streams, and adapts those that the journal has made itself.
func TestStreamsOfOthersAreNotChanged(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	events, dead := good()
	before := map[string]natsjs.StreamConfig{}
	for _, s := range []natsjs.StreamConfig{events, dead} {
		made, err := admin.CreateStream(t.Context(), s)
		mustDo(t, err)
		before[s.Name] = made.CachedInfo().Config
	}
	works(t, open(t, options(c)), "1")
	for name, want := range before {
		s, err := admin.Stream(t.Context(), name)
		mustDo(t, err)
		if diff := cmp.Diff(want, s.CachedInfo().Config); diff != "" {
			t.Errorf("stream %s was changed: %s", name, diff)
		}
	}
	o := options(c)
	o.Name = "own"
	mustDo(t, open(t, o).Close())
	o.MaxBytes, o.DedupeWindow = 64<<20, time.Hour
	works(t, open(t, o), "2")
	s, err := admin.Stream(t.Context(), "own")
	mustDo(t, err)
	if got := s.CachedInfo().Config; got.MaxBytes != o.MaxBytes || got.Duplicates != o.DedupeWindow {
		t.Errorf("the journal's own stream was not adapted: %+v", got)
	}
}

// TestAStreamThatIsDeletedIsMadeAgain deletes the streams under a journal.
func TestAStreamThatIsDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	admin, end := dial(t, c.URLs()[0])
	defer end()
	j := open(t, options(c))
	works(t, j, "1")
	mustDo(t, admin.DeleteStream(t.Context(), "test"))
	mustDo(t, admin.DeleteStream(t.Context(), "test-dead"))
	works(t, j, "2")
}

// TestTheLongestName works with the longest name that a WebhookEndpoint may give.
func TestTheLongestName(t *testing.T) {
	t.Parallel()
	o := options(startServers(t, nats.Options{Servers: 1}))
	o.Name = strings.Repeat("n", 128)
	works(t, open(t, o), "1")
}
