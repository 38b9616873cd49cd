package streams

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func testSettings() *Settings {
	return &Settings{
		Name: "test", Subjects: []string{"test.sink.*", "test.key"}, DeadLetterSubject: "test.dead", Replicas: 3, MaxBytes: 1 << 30,
		DedupeWindow: 24 * time.Hour,
	}
}

// TestCheck spoils each setting of a stream that is as it should be, or larger.
func TestCheck(t *testing.T) {
	t.Parallel()
	for text, spoil := range map[string]func(*jetstream.StreamConfig){
		"": func(*jetstream.StreamConfig) {},
		"retention is Limits and must be WorkQueue":             func(s *jetstream.StreamConfig) { s.Retention = jetstream.LimitsPolicy },
		"storage is Memory and must be File":                    func(s *jetstream.StreamConfig) { s.Storage = jetstream.MemoryStorage },
		"persist mode is ":                                      func(s *jetstream.StreamConfig) { s.PersistMode = jetstream.AsyncPersistMode },
		"discard is DiscardOld and must be DiscardNew":          func(s *jetstream.StreamConfig) { s.Discard = jetstream.DiscardOld },
		"max bytes is 5 and must be 1073741824 or more":         func(s *jetstream.StreamConfig) { s.MaxBytes = 5 },
		"max age is 48h0m0s and must be unlimited":              func(s *jetstream.StreamConfig) { s.MaxAge = 48 * time.Hour },
		"duplicate window is 2m0s and must be 24h0m0s or more":  func(s *jetstream.StreamConfig) { s.Duplicates = 2 * time.Minute },
		"allow atomic publish is false and must be true":        func(s *jetstream.StreamConfig) { s.AllowAtomicPublish = false },
		"allow message TTL is false and must be true":           func(s *jetstream.StreamConfig) { s.AllowMsgTTL = false },
		"no ack is true and must be false":                      func(s *jetstream.StreamConfig) { s.NoAck = true },
		"sealed is true and must be false":                      func(s *jetstream.StreamConfig) { s.Sealed = true },
		"subject transform is ":                                 func(s *jetstream.StreamConfig) { s.SubjectTransform = &jetstream.SubjectTransformConfig{} },
		"replicas is 1 and must be 3 or more":                   func(s *jetstream.StreamConfig) { s.Replicas = 1 },
		"max messages per subject is 5 and must be unlimited":   func(s *jetstream.StreamConfig) { s.MaxMsgsPerSubject = 5 },
		"subjects is [test.key] and must be [test.sink.* test.": func(s *jetstream.StreamConfig) { s.Subjects = []string{"test.key"} },
	} {
		want := testSettings().Events()
		have := want
		have.Metadata = nil // a user has made it
		have.MaxBytes, have.Replicas, have.Duplicates = 2<<30, 5, 48*time.Hour
		spoil(&have)
		err := Check(&have, &want)
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), ";")) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

// TestOursMayBeAdapted asks whether streams that Mailvane has made are to be changed, and whether they may be used as they are.
func TestOursMayBeAdapted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dead           bool
		change         func(*jetstream.StreamConfig)
		adapted, wrong bool
	}{
		"as it is":              {change: func(*jetstream.StreamConfig) {}},
		"smaller":               {change: func(s *jetstream.StreamConfig) { s.MaxBytes = 5 }, adapted: true},
		"fewer replicas":        {change: func(s *jetstream.StreamConfig) { s.Replicas = 1 }, adapted: true},
		"a shorter window":      {change: func(s *jetstream.StreamConfig) { s.Duplicates = time.Minute }, adapted: true},
		"events that get old":   {change: func(s *jetstream.StreamConfig) { s.MaxAge = 30 * DeadLetterAge }, adapted: true, wrong: true},
		"letters that get old":  {dead: true, change: func(s *jetstream.StreamConfig) { s.MaxAge = DeadLetterAge }},
		"letters that go early": {dead: true, change: func(s *jetstream.StreamConfig) { s.MaxAge = DeadLetterAge - 1 }, adapted: true, wrong: true},
	} {
		want := testSettings().Events()
		if test.dead {
			want = testSettings().DeadLetters()
		}
		have := want
		test.change(&have)
		if got := differs(&have, &want); got != test.adapted || !IsOurs(&have) {
			t.Errorf("%s: adapted %v, want %v", name, got, test.adapted)
		}
		if err := Check(&have, &want); (err != nil) != test.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	want := []string{"test.sink.*", "test.key"}
	for subjects, covered := range map[string]bool{
		"test.sink.* test.key": true,
		"test.>":               true,
		">":                    true,
		"test.*.* test.*":      true,
		"*.sink.* *.key":       true,
		"test.sink.a test.key": false,
		"test.sink.*":          false,
		"test.key test.*":      false,
		"test":                 false,
		"":                     false,
		"other.>":              false,
	} {
		if got := covers(strings.Fields(subjects), want); got != covered {
			t.Errorf("%q: %v, want %v", subjects, got, covered)
		}
	}
	for pattern, narrower := range map[string]string{"a.*": "a.>", "a.b": "a.*", "a.>": "a"} {
		if matches(pattern, narrower) {
			t.Errorf("%s does not take in all of %s", pattern, narrower)
		}
	}
}

// TestTheSizesOfTheStreams bounds the dead letters by a part of the space, and their window by their age.
func TestTheSizesOfTheStreams(t *testing.T) {
	t.Parallel()
	s := testSettings()
	s.DedupeWindow, s.MaxBytes = 60*24*time.Hour, 1<<20
	events, dead := s.Events(), s.DeadLetters()
	if events.MaxBytes != 1<<20 || dead.MaxBytes != minDeadBytes || events.Duplicates != s.DedupeWindow || dead.Duplicates != DeadLetterAge || dead.Name != "test-dead" {
		t.Errorf("%+v %+v", events, dead)
	}
}
