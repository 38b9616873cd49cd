package jetstream

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

// eventStream is how the stream of the events should be. Like the other it allows no direct access: replicas may be behind, and
// who asks next must see what was stored.
func (j *Journal) eventStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: j.options.Name, Description: "Events that Mailvane has accepted and not yet delivered",
		Subjects:  []string{j.sinkSubject("*"), j.keySubject()},
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: j.options.Replicas,
		Discard: jetstream.DiscardNew, MaxBytes: j.options.MaxBytes, Duplicates: j.options.DedupeWindow,
		MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
		AllowAtomicPublish: true, AllowMsgTTL: true,
		Metadata: map[string]string{createdBy: "mailvane"},
	}
}

// deadStream is how the stream of the dead letters should be.
func (j *Journal) deadStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: j.options.Name + "-dead", Description: "Dead letters of Mailvane",
		Subjects:  []string{j.deadSubject()},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Replicas: j.options.Replicas,
		Discard: jetstream.DiscardNew, MaxBytes: max(j.options.MaxBytes/deadLetterShare, 1<<20), MaxAge: deadLetterAge,
		Duplicates: min(j.options.DedupeWindow, deadLetterAge),
		MaxMsgs:    -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
		AllowAtomicPublish: true,
		Metadata:           map[string]string{createdBy: "mailvane"},
	}
}

// ensure makes a stream when it is missing, adapts one that Mailvane has made, and checks it.
func (s *session) ensure(ctx context.Context, want *jetstream.StreamConfig) error {
	found, err := s.js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if found, err = s.js.CreateStream(ctx, *want); err != nil {
			return fmt.Errorf("stream %s is missing and cannot be created: %w", want.Name, s.denied.explain(err))
		}
	case err != nil:
		return fmt.Errorf("stream %s cannot be looked up: %w", want.Name, s.denied.explain(err))
	}
	have := found.CachedInfo().Config
	if have.Metadata[createdBy] != "" && differs(&have, want) {
		changed := have
		changed.MaxBytes, changed.Duplicates, changed.Replicas, changed.MaxAge = want.MaxBytes, want.Duplicates, want.Replicas, want.MaxAge
		changed.Metadata = maps.Clone(have.Metadata)
		if _, err := s.js.UpdateStream(ctx, changed); err != nil {
			return fmt.Errorf("stream %s cannot be adapted: %w", want.Name, s.denied.explain(err))
		}
		have = changed
	}
	return violations(&have, want)
}

// differs says whether a stream that Mailvane has made should be adapted to other settings of the receiver.
func differs(have, want *jetstream.StreamConfig) bool {
	return have.MaxBytes != want.MaxBytes || have.Duplicates != want.Duplicates || have.Replicas != want.Replicas || have.MaxAge != want.MaxAge
}

// violation is a setting of a stream with which events could be lost or repeated.
type violation struct {
	setting     string
	found, want any
	wrong       bool
}

// violations returns an error that names each wrong setting of a stream.
func violations(have, want *jetstream.StreamConfig) error {
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
	ours := have.Metadata[createdBy] != ""
	return []violation{
		{"replicas", have.Replicas, fmt.Sprint(want.Replicas, " or more"), !ours && have.Replicas < want.Replicas},
		{"max bytes", have.MaxBytes, fmt.Sprint(want.MaxBytes, " or more"), !ours && have.MaxBytes > 0 && have.MaxBytes < want.MaxBytes},
		{"max age", have.MaxAge, ageText(want.MaxAge), have.MaxAge != 0 && (want.MaxAge == 0 || have.MaxAge < want.MaxAge)},
		{"max messages per subject", have.MaxMsgsPerSubject, "unlimited", have.MaxMsgsPerSubject > 0 && !have.DiscardNewPerSubject},
		{"duplicate window", have.Duplicates, fmt.Sprint(want.Duplicates, " or more"), !ours && have.Duplicates < want.Duplicates},
	}
}

func ageText(age time.Duration) string {
	if age == 0 {
		return "unlimited"
	}
	return age.String() + " or more"
}

// covers says whether the subjects of a stream take in those that are wanted.
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

// matches says whether pattern takes in every subject that narrower does.
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
