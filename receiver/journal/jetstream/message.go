package jetstream

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

// inboxPrefix and the name of the streams begin the subjects of answers, so that permissions can be narrow.
const inboxPrefix = "_INBOX."

// The headers of an event's message.
const (
	headerAccepted = "Mailvane-Accepted" // milliseconds since 1970
	headerKey      = "Mailvane-Key"      // the ordering key, quoted as in Go
	headerTTL      = "Nats-TTL"
)

const (
	// markerTTL is how long a message that only carries a dedupe key is kept; the server remembers the key for the window.
	markerTTL = "60s"
	// maxKeyBytes bounds an ordering key in a header, which the server bounds to 64 KiB. A longer one is hashed.
	maxKeyBytes = 16 << 10
)

func (j *Journal) sinkSubject(token string) string    { return j.options.Name + ".sink." + token }
func (j *Journal) keySubject() string                 { return j.options.Name + ".key" }
func (j *Journal) deadSubject() string                { return j.options.Name + ".dead" }
func (j *Journal) aliveSubject(process string) string { return j.options.Name + ".alive." + process }

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

// messageID hides what a key is made of and bounds its length.
func messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// messages are what one entry adds: a copy for each sink. Each of the first messages carries one of the dedupe keys; keys that
// are left travel alone.
func (j *Journal) messages(e *journal.Entry) []*nats.Msg {
	header := nats.Header{headerAccepted: {strconv.FormatInt(e.AcceptedAt.UnixMilli(), 10)}}
	if e.OrderingKey != "" {
		header.Set(headerKey, quoteKey(e.OrderingKey))
	}
	payload := append([]byte{}, e.Payload...)
	var all []*nats.Msg
	for i := range max(len(e.Sinks), len(e.DedupeKeys)) {
		m := &nats.Msg{Subject: j.keySubject(), Header: nats.Header{headerTTL: {markerTTL}}}
		if i < len(e.Sinks) {
			m = &nats.Msg{Subject: j.sinkSubject(sinkToken(e.Sinks[i])), Header: maps.Clone(header), Data: payload}
		}
		if i < len(e.DedupeKeys) {
			m.Header.Set(jetstream.MsgIDHeader, messageID(e.DedupeKeys[i]))
		}
		all = append(all, m)
	}
	return all
}

func quoteKey(key string) string {
	quoted := strconv.Quote(key)
	if len(quoted) <= maxKeyBytes {
		return quoted
	}
	sum := sha256.Sum256([]byte(key))
	return strconv.Quote("sha256:" + hex.EncodeToString(sum[:]))
}

// acceptedAt reads when the event of a message was accepted.
func acceptedAt(h nats.Header) time.Time {
	ms, err := strconv.ParseInt(h.Get(headerAccepted), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func orderingKey(h nats.Header) string {
	key, err := strconv.Unquote(h.Get(headerKey))
	if err != nil {
		return ""
	}
	return key
}
