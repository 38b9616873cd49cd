// Package message is how the messages of a journal look: their subjects, headers and identities. It sends none. What it reads may come from
// anybody who may publish to the streams.
package message

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The headers of an event's message.
const (
	headerAccepted = "Mailvane-Accepted" // milliseconds since 1970
	headerKey      = "Mailvane-Key"      // the ordering key, quoted as in Go
	headerSinks    = "Mailvane-Sinks"    // those of an event of the history, after a comma each
	headerTTL      = "Nats-TTL"
)

const (
	// markerTTL is how long a message that only carries a dedupe key is kept; the server remembers the key for the window.
	markerTTL = "60s"
	// maxKeyBytes bounds an ordering key in a header, which the server bounds to 64 KiB. A longer one is hashed.
	maxKeyBytes = 16 << 10
)

// Subjects are those of one journal: the name of its streams, which they begin with.
type Subjects string

// Sink returns the subject of the events of a sink; of all sinks for [AllSinks].
func (s Subjects) Sink(name string) string {
	if name == AllSinks {
		return string(s) + ".sink.*"
	}
	return string(s) + ".sink." + sinkToken(name)
}

// AllSinks takes the place of the name of a sink, which is never empty.
const AllSinks = ""

// Key returns the subject of what only carries a dedupe key.
func (s Subjects) Key() string { return string(s) + ".key" }

// DeadLetters returns the subject of the dead letters.
func (s Subjects) DeadLetters() string { return string(s) + ".dead" }

// Alive returns the subject at which a process answers as long as it is there.
func (s Subjects) Alive(process string) string { return string(s) + ".alive." + process }

// Inbox returns what the subjects of answers begin with, so that permissions can be narrow.
func (s Subjects) Inbox() string { return "_INBOX." + string(s) }

// SinkOf returns the sink whose events have a subject; ok is false when it is none of sink.
func (s Subjects) SinkOf(subject string) (name string, ok bool) {
	token, ok := strings.CutPrefix(subject, string(s)+".sink.")
	if !ok {
		return "", false
	}
	return sinkName(token)
}

// sinkToken makes a sink's name one token of a subject: everything but letters, digits and "-" becomes "_" and two hexadecimal digits.
func sinkToken(sink string) string {
	var b strings.Builder
	for i := range len(sink) {
		switch c := sink[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02X", c)
		}
	}
	return b.String()
}

// sinkName reverses sinkToken.
func sinkName(token string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '_' {
			b.WriteByte(token[i])
			continue
		}
		if i+3 > len(token) {
			return "", false
		}
		c, err := strconv.ParseUint(token[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), true
}

// ID returns the identity of a message that carries a dedupe key: it hides what a key is made of and bounds its length.
func ID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Event returns what one entry adds: a copy for each sink. Each of the first messages carries one of the dedupe keys; keys that
// are left travel alone.
func (s Subjects) Event(e *journal.Entry) []*nats.Msg {
	header := nats.Header{headerAccepted: {strconv.FormatInt(e.AcceptedAt.UnixMilli(), 10)}}
	if e.OrderingKey != "" {
		header.Set(headerKey, quoteKey(e.OrderingKey))
	}
	payload := append([]byte{}, e.Payload...)
	var all []*nats.Msg
	for i := range max(len(e.Sinks), len(e.DedupeKeys)) {
		m := &nats.Msg{Subject: s.Key(), Header: nats.Header{headerTTL: {markerTTL}}}
		if i < len(e.Sinks) {
			m = &nats.Msg{Subject: s.Sink(e.Sinks[i]), Header: maps.Clone(header), Data: payload}
			if e.Sinks[i] == journal.History {
				m.Header.Set(headerSinks, sinkList(e.Sinks))
			}
		}
		if i < len(e.DedupeKeys) {
			m.Header.Set(jetstream.MsgIDHeader, ID(e.DedupeKeys[i]))
		}
		all = append(all, m)
	}
	return all
}

// sinkList returns the sinks of an event but for the history, each after a comma, which is in no name.
func sinkList(sinks []string) string {
	var list strings.Builder
	for _, name := range sinks {
		if name != journal.History {
			list.WriteString("," + name)
		}
	}
	if list.Len() == 0 {
		return ","
	}
	return list.String()
}

// Sinks reads which sinks an event of the history was owed to; known is false when its message does not say.
func Sinks(h nats.Header) (sinks []string, known bool) {
	list, known := strings.CutPrefix(h.Get(headerSinks), ",")
	if list == "" {
		return nil, known
	}
	return strings.Split(list, ","), known
}

func quoteKey(key string) string {
	quoted := strconv.Quote(key)
	if len(quoted) <= maxKeyBytes {
		return quoted
	}
	sum := sha256.Sum256([]byte(key))
	return strconv.Quote("sha256:" + hex.EncodeToString(sum[:]))
}

// AcceptedAt reads when the event of a message was accepted, in UTC; zero = it does not say.
func AcceptedAt(h nats.Header) time.Time {
	ms, err := strconv.ParseInt(h.Get(headerAccepted), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// OrderingKey reads the ordering key of the event of a message; empty = it has none.
func OrderingKey(h nats.Header) string {
	key, err := strconv.Unquote(h.Get(headerKey))
	if err != nil {
		return ""
	}
	return key
}
