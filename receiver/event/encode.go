package event

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// errTime says that a time has no form in RFC 3339.
var errTime = errors.New("encode event: the year of its time is not 0 to 9999")

// An encoded event has about perEventBytes beside the raw payload and, of that, what the record repeats.
const (
	perEventBytes    = 1 << 10
	maxRepeatedBytes = 1 << 10
)

// Encode returns e as a structured CloudEvents 1.0 JSON object on one line, with the given source. Raw must be JSON, as it is in
// every event that was decoded; only its white space is looked at.
//
// It is written out rather than derived from the struct: it runs once per event, and reflection took a tenth of what a request
// costs. The tests hold it against the derived form.
func Encode(e *Event, source string) ([]byte, error) {
	at := e.Time.UTC()
	if y := at.Year(); y < 0 || y > 9999 {
		return nil, errTime
	}
	var scratch [len(time.RFC3339Nano)]byte
	when := at.AppendFormat(scratch[:0], time.RFC3339Nano)
	w := make(objectWriter, 0, len(e.Raw)+min(len(e.Raw), maxRepeatedBytes)+perEventBytes)
	w = w.begin().attributes(e, source, when)
	w = w.name("data").begin().identity(e, when).addresses(e).outcome(e).interaction(e).flag("unverified", e.Unverified)
	if e.Raw != nil {
		w = appendCompact(w.name("raw"), e.Raw)
	}
	return w.end().end(), nil
}

func (w objectWriter) attributes(e *Event, source string, when []byte) objectWriter {
	return w.text("specversion", specVersion).
		text("id", e.ID).
		text("source", source).
		text("type", e.Type.CloudEvents()).
		optional("subject", attributeText(e.CloudEventsSubject())).
		time("time", when).
		text("datacontenttype", dataContentType).
		text("dataschema", DataSchema).
		optional("provider", strings.ToLower(e.Provider)).
		optional("providerevent", attributeText(e.ProviderEvent)).
		optional("partitionkey", attributeText(e.Key()))
}

func (w objectWriter) identity(e *Event, when []byte) objectWriter {
	return w.text("id", e.ID).
		text("type", string(e.Type)).
		text("provider", e.Provider).
		optional("providerEvent", e.ProviderEvent).
		time("time", when).
		optional("timeRaw", e.TimeRaw).
		flag("timeZoneAssumed", e.TimeZoneAssumed).
		flag("timeImplausible", e.TimeImplausible)
}

func (w objectWriter) addresses(e *Event) objectWriter {
	return w.optional("recipient", e.Recipient).
		list("recipients", e.Recipients).
		optional("sender", e.Sender).
		optional("subject", e.Subject).
		optional("messageId", e.MessageID).
		optional("providerMessageId", e.ProviderMessageID).
		optional("providerEventId", e.ProviderEventID).
		optional("correlationId", e.CorrelationID).
		optional("account", e.Account)
}

func (w objectWriter) outcome(e *Event) objectWriter {
	if e.SMTPCode != 0 {
		w = strconv.AppendInt(w.name("smtpCode"), int64(e.SMTPCode), 10)
	}
	return w.optional("enhancedCode", e.EnhancedCode).
		optional("reason", e.Reason).
		optional("diagnostic", e.Diagnostic).
		object("bounce", member{"type", string(e.Bounce.Type)}, member{"category", e.Bounce.Category}).
		object("reject", member{"reason", string(e.Reject.Reason)}).
		object("complaint", member{"feedbackType", e.Complaint.FeedbackType})
}

func (w objectWriter) interaction(e *Event) objectWriter {
	return w.optional("url", e.URL).
		optional("ip", e.IP).
		optional("userAgent", e.UserAgent).
		object("client", member{"name", e.Client.Name}, member{"os", e.Client.OS}).
		list("tags", e.Tags).
		metadata(e.Metadata)
}

// objectWriter appends the members of JSON objects, and like append returns what it made. Text that is not UTF-8 gets the
// replacement character.
type objectWriter []byte

func (w objectWriter) begin() objectWriter { return append(w, '{') }

func (w objectWriter) end() objectWriter { return append(w, '}') }

// separate appends a comma unless an object or an array has just begun.
func (w objectWriter) separate() objectWriter {
	if last := w[len(w)-1]; last != '{' && last != '[' {
		return append(w, ',')
	}
	return w
}

// name begins a member whose name needs no escaping.
func (w objectWriter) name(name string) objectWriter {
	w = append(w.separate(), '"')
	w = append(w, name...)
	return append(w, '"', ':')
}

func (w objectWriter) quote(s string) objectWriter {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			// The error says that something was replaced.
			w, _ = jsontext.AppendQuote([]byte(w), s)
			return w
		}
	}
	w = append(w, '"')
	w = append(w, s...)
	return append(w, '"')
}

func (w objectWriter) text(name, value string) objectWriter {
	return w.name(name).quote(value)
}

func (w objectWriter) optional(name, value string) objectWriter {
	if value == "" {
		return w
	}
	return w.text(name, value)
}

func (w objectWriter) flag(name string, value bool) objectWriter {
	if !value {
		return w
	}
	return append(w.name(name), "true"...)
}

// time appends a time of RFC 3339, which needs no escaping.
func (w objectWriter) time(name string, when []byte) objectWriter {
	w = append(w.name(name), '"')
	w = append(w, when...)
	return append(w, '"')
}

func (w objectWriter) list(name string, values []string) objectWriter {
	if values == nil {
		return w
	}
	w = append(w.name(name), '[')
	for _, v := range values {
		w = w.separate().quote(v)
	}
	return append(w, ']')
}

// member is a member of an object of texts.
type member struct{ name, value string }

// object appends an object of those members that have a value, if any.
func (w objectWriter) object(name string, members ...member) objectWriter {
	if !slices.ContainsFunc(members, func(m member) bool { return m.value != "" }) {
		return w
	}
	w = w.name(name).begin()
	for _, m := range members {
		w = w.optional(m.name, m.value)
	}
	return w.end()
}

// metadata appends the values by name, in the order of the names.
func (w objectWriter) metadata(values map[string]string) objectWriter {
	if values == nil {
		return w
	}
	var scratch [16]string // as many as most events have
	names := scratch[:0]
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	w = w.name("metadata").begin()
	for _, name := range names {
		w = append(w.separate().quote(name), ':')
		w = w.quote(values[name])
	}
	return w.end()
}

// appendCompact appends JSON without the white space between its tokens.
func appendCompact(out, raw []byte) []byte {
	from := 0
	for i := 0; i < len(raw); {
		switch {
		case raw[i] == '"':
			i = endOfString(raw, i+1)
		case raw[i] > ' ':
			i++
		default:
			out = append(out, raw[from:i]...)
			for i < len(raw) && raw[i] <= ' ' {
				i++
			}
			from = i
		}
	}
	return append(out, raw[from:]...)
}

// endOfString returns where the string ends of which the rest begins at an index.
func endOfString(raw []byte, i int) int {
	quote := i - 1
	for {
		if quote < i {
			next := bytes.IndexByte(raw[i:], '"')
			if next < 0 {
				return len(raw)
			}
			quote = i + next
		}
		escape := bytes.IndexByte(raw[i:quote], '\\')
		if escape < 0 {
			return quote + 1
		}
		i += escape + 2 // the backslash, and what it escapes, which may be the quote
	}
}
