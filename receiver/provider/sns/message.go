package sns

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// messageIDHeader holds the id of a message with raw delivery. It is not signed.
const messageIDHeader = "X-Amz-Sns-Message-Id"

// maxHeaderID bounds an id that is taken from a header, in bytes; a UUID has 36.
const maxHeaderID = 64

// DecodeHeaders are the headers that [Endpoint.Decode] reads.
func DecodeHeaders() []string { return []string{messageIDHeader} }

// plainText is the media type of a message that is no JSON.
const plainText = "text/plain"

// Message is what a topic was told.
type Message struct {
	// Item is the message where it is a JSON object, and Plain where it is a text.
	Item  wire.Item
	Plain string
	// ID is the message's id, which is the same each time that it is sent. Without an envelope it is not signed, and may be missing.
	ID string
	// Topic is the ARN of the topic, and Timestamp the time at which it was told; both are "" without an envelope.
	Topic, Timestamp string

	envelope *wire.Item // nil = it came without
}

// IsSigned reports whether the message came in an envelope.
func (m *Message) IsSigned() bool { return m.envelope != nil }

// EventID returns the id of an event of the message, which parts tell from its others. What came without an envelope never has the id of
// what came in one: nobody signed it.
func (m *Message) EventID(parts ...string) string {
	kind := "sns"
	if m.envelope == nil {
		kind = "sns, unsigned"
	}
	return event.HashID(append([]string{kind, m.ID, m.Plain}, parts...)...)
}

// Raw returns what an event keeps of the request: all but credentials.
func (m *Message) Raw() jsontext.Value {
	switch {
	case m.envelope != nil:
		return m.enveloped("")
	case m.Plain != "":
		raw, _ := json.Marshal(struct { // every text in it is UTF-8
			MediaType string `json:"mediaType"`
			Text      string `json:"text"`
		}{plainText, strings.ToValidUTF8(m.Plain, "\ufffd")})
		return raw
	default:
		return m.Item.Raw
	}
}

// RawOf returns what the event of the n-th recipient keeps; see [wire.Parallel.Raw].
func (m *Message) RawOf(p *wire.Parallel, n int) jsontext.Value {
	switch {
	case m.envelope == nil:
		return p.Raw(n)
	case p.Len() == 1:
		return m.enveloped("")
	default:
		return m.enveloped(wire.Quote(string(p.Sent(n))))
	}
}

// enveloped returns the envelope without credentials, and with another message unless that is "". Who has the UnsubscribeURL can end the
// subscription, and the Token or the SubscribeURL confirm another.
func (m *Message) enveloped(message string) jsontext.Value {
	return m.envelope.Rewrite(func(name, value string) string {
		for _, credential := range []string{signatureMember, tokenMember, subscribeMember, unsubscribeMember} {
			if strings.EqualFold(name, credential) {
				return ""
			}
		}
		if name != messageMember || !strings.HasPrefix(value, `"`) {
			return value
		}
		if message != "" {
			return message
		}
		return `"` + strings.TrimPrefix(value[1:], byteOrderMark)
	})
}

// byteOrderMark is that of UTF-8, which says nothing.
const byteOrderMark = "\ufeff"

// headerID returns the id in the header of a message, and "" when it is no such id.
func headerID(h http.Header) string {
	values := h[messageIDHeader]
	if len(values) != 1 || len(values[0]) > maxHeaderID {
		return ""
	}
	isOther := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}
	if strings.ContainsFunc(values[0], isOther) {
		return ""
	}
	return values[0]
}
