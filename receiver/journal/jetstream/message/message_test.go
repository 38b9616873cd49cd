package message

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

const subjects = Subjects("test")

// TestTheSubjectsStay compares them with what streams hold already, and what permissions name.
func TestTheSubjectsStay(t *testing.T) {
	t.Parallel()
	confirmations := subjects.Confirmations("p1")
	stored := time.Unix(0, 1_700_000_000_000_000_001)
	for got, want := range map[string]string{
		subjects.Sink("mail/out.a-Z0_"): "test.sink.mail_2Fout_2Ea-Z0_5F",
		subjects.Sink(AllSinks):         "test.sink.*",
		subjects.Key():                  "test.key",
		subjects.DeadLetters():          "test.dead",
		subjects.Alive("p1"):            "test.alive.p1",
		subjects.Inbox():                "_INBOX.test",
		confirmations.All():             "_INBOX.test.ack.p1.*.*.*",
		confirmations.Subject(Confirmation{Queue: "q", Sequence: 36, Stored: stored}): "_INBOX.test.ack.p1.q.10.cwyvpelgpse9",
		ID("key"): "LHDhK3oGRvkiefQnx7OOcw",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// FuzzSinks names sinks in all ways: each has a subject of its own, of one token, that names it again.
func FuzzSinks(f *testing.F) {
	for _, name := range []string{"mail/a", "a.b", "*", ">", "_", "_2F", "\u00fc \x00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == AllSinks {
			return
		}
		subject := subjects.Sink(name)
		if got, ok := subjects.SinkOf(subject); !ok || got != name || strings.Count(subject, ".") != 2 || strings.ContainsAny(subject, "*> \t\r\n") {
			t.Errorf("%q: %q, %q, %v", name, subject, got, ok)
		}
		if got, ok := subjects.SinkOf(name); ok && subjects.Sink(got) == "" {
			t.Error("a sink without a subject")
		}
	})
}

// FuzzConfirmations reads what anybody may send.
func FuzzConfirmations(f *testing.F) {
	f.Add("q.1.2")
	f.Add("q.1.2.3")
	f.Add(".zzzzzzzzzzzzzzzzz.-1")
	c := subjects.Confirmations("p1")
	f.Fuzz(func(t *testing.T, rest string) {
		got, ok := c.Parse(string(c) + rest)
		if !ok {
			return
		}
		again, ok := c.Parse(c.Subject(got))
		if !ok || again.Queue != got.Queue || again.Sequence != got.Sequence || !again.Stored.Equal(got.Stored) {
			t.Errorf("%+v became %+v, %v", got, again, ok)
		}
	})
}

func TestOtherConfirmationsAreNone(t *testing.T) {
	t.Parallel()
	one, other := subjects.Confirmations("p1"), subjects.Confirmations("p2")
	c := Confirmation{Queue: "q", Sequence: 7, Stored: time.Unix(1, 2)}
	if got, ok := one.Parse(one.Subject(c)); !ok || got.Queue != c.Queue || got.Sequence != c.Sequence || !got.Stored.Equal(c.Stored) {
		t.Errorf("%+v, %v", got, ok)
	}
	if got, ok := one.Parse(other.Subject(c)); ok {
		t.Errorf("of another process: %+v", got)
	}
}

// TestAnEventIsACopyForEachSink publishes events with fewer and more keys than sinks: each key travels once.
func TestAnEventIsACopyForEachSink(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_123).UTC()
	for name, test := range map[string]struct{ keys, sinks []string }{
		"more sinks": {[]string{"k1"}, []string{"a", "b"}},
		"more keys":  {[]string{"k1", "k2", "k3"}, []string{"a"}},
		"no sink":    {[]string{"k1", "k2"}, nil},
		"no key":     {nil, []string{"a"}},
	} {
		payload := []byte("event")
		all := subjects.Event(&journal.Entry{DedupeKeys: test.keys, OrderingKey: "order \u00fc\n", Sinks: test.sinks, AcceptedAt: at, Payload: payload})
		payload[0] = 'X' // it belongs to the caller again
		var ids, sinks []string
		for _, m := range all {
			if id := m.Header.Get(jetstream.MsgIDHeader); id != "" {
				ids = append(ids, id)
			}
			sink, ok := subjects.SinkOf(m.Subject)
			if !ok {
				if m.Subject != subjects.Key() || m.Header.Get(headerTTL) != markerTTL || len(m.Data) > 0 {
					t.Errorf("%s: %+v only carries a key", name, m)
				}
				continue
			}
			sinks = append(sinks, sink)
			if string(m.Data) != "event" || OrderingKey(m.Header) != "order \u00fc\n" || !AcceptedAt(m.Header).Equal(at) || m.Header.Get(headerTTL) != "" {
				t.Errorf("%s: %+v", name, m)
			}
		}
		var want []string
		for _, key := range test.keys {
			want = append(want, ID(key))
		}
		if diff := cmp.Diff(want, ids) + cmp.Diff(test.sinks, sinks); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestHeadersThatNobodyHasWritten(t *testing.T) {
	t.Parallel()
	h := nats.Header{headerAccepted: {"soon"}, headerKey: {"not quoted"}}
	if !AcceptedAt(h).IsZero() || OrderingKey(h) != "" || !AcceptedAt(nil).IsZero() || OrderingKey(nil) != "" {
		t.Errorf("accepted at %v, key %q", AcceptedAt(h), OrderingKey(h))
	}
	long := strings.Repeat("k", 2*maxKeyBytes)
	m := subjects.Event(&journal.Entry{Sinks: []string{"a"}, OrderingKey: long})[0]
	if key := OrderingKey(m.Header); !strings.HasPrefix(key, "sha256:") || len(key) > 100 {
		t.Errorf("a long key became %.100q", key)
	}
}

// TestLetters reads dead letters that were written, as a whole and cut.
func TestLetters(t *testing.T) {
	t.Parallel()
	d := journal.DeadLetter{
		ID: 7, Cause: journal.CauseRefused, Reason: "550 no", Endpoint: "mail/in", Route: "all", Sink: "mail/out", EventID: "e", Unverified: true, Attempts: 2,
		At: time.UnixMilli(1_700_000_000_123).UTC(), Header: map[string]string{"A": "1: 2", "B": ""}, Payload: bytes.Repeat([]byte("x"), 20_000), DedupeKey: "k",
	}
	for name, test := range map[string]struct{ room, payload int }{
		"it fits":            {1 << 20, 20_000},
		"a part of it fits":  {12_000, 1},
		"nothing of it fits": {100, 0},
	} {
		m, err := subjects.Letter(&d, test.room)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadLetter(7, m.Header, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Payload) < test.payload || len(got.Payload) > test.room || m.Subject != subjects.DeadLetters() || m.Header.Get(jetstream.MsgIDHeader) != ID("k") {
			t.Errorf("%s: %d bytes of payload, %s %v", name, len(got.Payload), m.Subject, m.Header)
		}
		cut := len(got.Payload) < len(d.Payload)
		if cut != strings.Contains(got.Reason, "of its 20000 bytes") || cut && test.room > LetterAllowance && m.Size() > test.room {
			t.Errorf("%s: %d bytes in a room of %d, the reason is %s", name, m.Size(), test.room, got.Reason)
		}
		want := d
		want.Payload, want.DedupeKey = got.Payload, ""
		got.Reason = d.Reason
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := ReadLetter(1, nats.Header{}, nil); err == nil {
		t.Error("a message of somebody else is a dead letter")
	}
}

func TestALargeEventBecomesALetter(t *testing.T) {
	t.Parallel()
	e := &journal.Entry{DedupeKeys: []string{"k"}, Sinks: []string{"a", "b"}, Payload: []byte("large")}
	d := LargeLetter(&journal.Batch{Endpoint: "mail/in"}, e, 5, 4)
	if d.Cause != journal.CauseTooLarge || d.Sink != "a" || d.Endpoint != "mail/in" || string(d.Payload) != "large" || d.DedupeKey == "k" || !strings.Contains(d.Reason, "5 bytes") {
		t.Errorf("%+v", d)
	}
	if size := Largest(subjects.Event(e)); size < 5 || Largest(nil) != 0 {
		t.Errorf("size %d", size)
	}
}
