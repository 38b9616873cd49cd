// Package streams knows how the two streams of a journal should be, makes those that are missing, adapts those that Mailvane has made, and
// names what is wrong with others.
package streams

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// createdBy marks the streams that Mailvane has made, in their metadata. Only those are ever changed.
const createdBy = "mailvane.dev/created-by"

const (
	// DeadLetterAge is how long dead letters are kept.
	DeadLetterAge = 14 * 24 * time.Hour
	// deadLetterShare is the part of the space of the events that dead letters have of their own, and minDeadBytes the least of it.
	deadLetterShare = 4
	minDeadBytes    = 1 << 20
)

// Settings say how the streams of a journal should be.
type Settings struct {
	// Name is that of the stream of the events.
	Name string
	// Subjects are those of the events of sinks and of dedupe keys, and DeadLetters that of the dead letters.
	Subjects          []string
	DeadLetterSubject string
	// Replicas is on how many servers each is kept.
	Replicas int
	// MaxBytes bounds the stream of the events.
	MaxBytes int64
	// DedupeWindow is how long a repeated message is recognised.
	DedupeWindow time.Duration
}

// Events is how the stream of the events should be. Like the other it allows no direct access: replicas may be behind, and
// who asks next must see what was stored.
func (s *Settings) Events() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.Name, Description: "Events that Mailvane has accepted and not yet delivered",
		Subjects:  s.Subjects,
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: s.Replicas,
		Discard: jetstream.DiscardNew, MaxBytes: s.MaxBytes, Duplicates: s.DedupeWindow,
		MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
		AllowAtomicPublish: true, AllowMsgTTL: true,
		Metadata: map[string]string{createdBy: "mailvane"},
	}
}

// DeadLetters is how the stream of the dead letters should be. The receivers remove what is too old, and not the servers, whose clocks may
// jump; a stream of somebody else may have a max age of its own.
func (s *Settings) DeadLetters() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: s.Name + "-dead", Description: "Dead letters of Mailvane",
		Subjects:  []string{s.DeadLetterSubject},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Replicas: s.Replicas,
		Discard: jetstream.DiscardNew, MaxBytes: max(s.MaxBytes/deadLetterShare, minDeadBytes),
		Duplicates: min(s.DedupeWindow, DeadLetterAge),
		MaxMsgs:    -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
		AllowAtomicPublish: true,
		Metadata:           map[string]string{createdBy: "mailvane"},
	}
}

// IsOurs reports whether Mailvane has made a stream. Only then may it be changed.
func IsOurs(have *jetstream.StreamConfig) bool { return have.Metadata[createdBy] != "" }

// Ensure makes a stream when it is missing, adapts one that Mailvane has made, and checks it. explain adds to an error of the servers
// what is known of its cause.
func Ensure(ctx context.Context, js jetstream.StreamManager, want *jetstream.StreamConfig, explain func(error) error) error {
	found, err := js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if found, err = js.CreateStream(ctx, *want); err != nil {
			return fmt.Errorf("stream %s is missing and cannot be created: %w", want.Name, explain(err))
		}
	case err != nil:
		return fmt.Errorf("stream %s cannot be looked up: %w", want.Name, explain(err))
	}
	have := found.CachedInfo().Config
	if IsOurs(&have) && differs(&have, want) {
		changed := have
		changed.MaxBytes, changed.Duplicates, changed.Replicas, changed.MaxAge = want.MaxBytes, want.Duplicates, want.Replicas, want.MaxAge
		changed.Metadata = maps.Clone(have.Metadata)
		if _, err := js.UpdateStream(ctx, changed); err != nil {
			return fmt.Errorf("stream %s cannot be adapted: %w", want.Name, explain(err))
		}
		have = changed
	}
	return Check(&have, want)
}

// differs reports whether a stream that Mailvane has made should be adapted to other settings of the receiver.
func differs(have, want *jetstream.StreamConfig) bool {
	return have.MaxBytes != want.MaxBytes || have.Duplicates != want.Duplicates || have.Replicas != want.Replicas || forgetsEarly(have, want)
}

// violation is a setting of a stream with which events could be lost or repeated.
type violation struct {
	setting     string
	found, want any
	wrong       bool
}

// Check returns an error that names each setting of a stream with which events could be lost or repeated.
func Check(have, want *jetstream.StreamConfig) error {
	var texts []string
	for _, v := range append(kindViolations(have, want), sizeViolations(have, want)...) {
		if v.wrong {
			texts = append(texts, fmt.Sprintf("%s is %v and must be %v", v.setting, v.found, v.want))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fmt.Errorf("stream %s has wrong settings: %s", want.Name, strings.Join(texts, "; "))
}

// kindViolations are about what a stream does with messages.
func kindViolations(have, want *jetstream.StreamConfig) []violation {
	return []violation{
		{"subjects", have.Subjects, want.Subjects, !covers(have.Subjects, want.Subjects)},
		{"retention", have.Retention, want.Retention, have.Retention != want.Retention},
		{"storage", have.Storage, want.Storage, have.Storage != want.Storage},
		{"persist mode", have.PersistMode, want.PersistMode, have.PersistMode != want.PersistMode},
		{"discard", have.Discard, want.Discard, have.Discard != want.Discard},
		{"allow atomic publish", have.AllowAtomicPublish, true, !have.AllowAtomicPublish},
		{"allow message TTL", have.AllowMsgTTL, true, want.AllowMsgTTL && !have.AllowMsgTTL},
		{"no ack", have.NoAck, false, have.NoAck},
		{"sealed", have.Sealed, false, have.Sealed},
		{"subject transform", have.SubjectTransform, "none", have.SubjectTransform != nil},
	}
}

// sizeViolations are about how much a stream keeps. For a while other receivers of ours may want other sizes of a stream that
// one of them has made.
func sizeViolations(have, want *jetstream.StreamConfig) []violation {
	ours := IsOurs(have)
	return []violation{
		{"replicas", have.Replicas, fmt.Sprint(want.Replicas, " or more"), !ours && have.Replicas < want.Replicas},
		{"max bytes", have.MaxBytes, fmt.Sprint(want.MaxBytes, " or more"), !ours && have.MaxBytes > 0 && have.MaxBytes < want.MaxBytes},
		{"max age", have.MaxAge, ageText(leastAge(want)), forgetsEarly(have, want)},
		{"max messages per subject", have.MaxMsgsPerSubject, "unlimited", have.MaxMsgsPerSubject > 0 && !have.DiscardNewPerSubject},
		{"duplicate window", have.Duplicates, fmt.Sprint(want.Duplicates, " or more"), !ours && have.Duplicates < want.Duplicates},
	}
}

// leastAge returns for how long a stream must keep its messages; 0 = without limit.
func leastAge(want *jetstream.StreamConfig) time.Duration {
	if want.Retention == jetstream.LimitsPolicy { // that of the dead letters
		return DeadLetterAge
	}
	return 0
}

// forgetsEarly reports whether a stream has a max age that is too short.
func forgetsEarly(have, want *jetstream.StreamConfig) bool {
	return have.MaxAge != 0 && (leastAge(want) == 0 || have.MaxAge < leastAge(want))
}

func ageText(age time.Duration) string {
	if age == 0 {
		return "unlimited"
	}
	return age.String() + " or more"
}

// covers reports whether the subjects of a stream take in those that are wanted.
func covers(have, want []string) bool {
	for _, w := range want {
		found := false
		for _, h := range have {
			found = found || matches(h, w)
		}
		if !found {
			return false
		}
	}
	return true
}

// matches reports whether pattern takes in every subject that narrower does.
func matches(pattern, narrower string) bool {
	p, n := strings.Split(pattern, "."), strings.Split(narrower, ".")
	for i := range p {
		switch {
		case p[i] == ">":
			return len(n) > i
		case i >= len(n) || n[i] == ">" || p[i] != "*" && p[i] != n[i]:
			return false
		}
	}
	return len(p) == len(n)
}
