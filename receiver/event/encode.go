package event

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

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
	if y := e.Time.UTC().Year(); y < 0 || y > 9999 {
		return nil, errTime
	}
	w := objectWriter{out: make([]byte, 0, len(e.Raw)+min(len(e.Raw), maxRepeatedBytes)+perEventBytes)}
	w.begin()
	w.attributes(e, source)
	w.name("data")
	w.begin()
	w.identity(e)
	w.addresses(e)
	w.outcome(e)
	w.interaction(e)
	w.flag("unverified", e.Unverified)
	if e.Raw != nil {
		w.name("raw")
		w.out = appendCompact(w.out, e.Raw)
	}
	w.end()
	w.end()
	return w.out, nil
}

func (w *objectWriter) attributes(e *Event, source string) {
	w.text("specversion", specVersion)
	w.text("id", e.ID)
	w.text("source", source)
	w.text("type", e.Type.CloudEvents())
	w.optional("subject", attributeText(e.CloudEventsSubject()))
	w.time("time", e.Time)
	w.text("datacontenttype", dataContentType)
	w.text("dataschema", DataSchema)
	w.optional("provider", strings.ToLower(e.Provider))
	w.optional("providerevent", attributeText(e.ProviderEvent))
	w.optional("partitionkey", attributeText(e.Key()))
}

func (w *objectWriter) identity(e *Event) {
	w.text("id", e.ID)
	w.text("type", string(e.Type))
	w.text("provider", e.Provider)
	w.optional("providerEvent", e.ProviderEvent)
	w.time("time", e.Time)
	w.optional("timeRaw", e.TimeRaw)
	w.flag("timeZoneAssumed", e.TimeZoneAssumed)
	w.flag("timeImplausible", e.TimeImplausible)
}

func (w *objectWriter) addresses(e *Event) {
	w.optional("recipient", e.Recipient)
	w.list("recipients", e.Recipients)
	w.optional("sender", e.Sender)
	w.optional("subject", e.Subject)
	w.optional("messageId", e.MessageID)
	w.optional("providerMessageId", e.ProviderMessageID)
	w.optional("providerEventId", e.ProviderEventID)
	w.optional("correlationId", e.CorrelationID)
	w.optional("account", e.Account)
}

func (w *objectWriter) outcome(e *Event) {
	if e.SMTPCode != 0 {
		w.name("smtpCode")
		w.out = strconv.AppendInt(w.out, int64(e.SMTPCode), 10)
	}
	w.optional("enhancedCode", e.EnhancedCode)
	w.optional("reason", e.Reason)
	w.optional("diagnostic", e.Diagnostic)
	w.object("bounce", member{"type", string(e.Bounce.Type)}, member{"category", e.Bounce.Category})
	w.object("reject", member{"reason", string(e.Reject.Reason)})
	w.object("complaint", member{"feedbackType", e.Complaint.FeedbackType})
}

func (w *objectWriter) interaction(e *Event) {
	w.optional("url", e.URL)
	w.optional("ip", e.IP)
	w.optional("userAgent", e.UserAgent)
	w.object("client", member{"name", e.Client.Name}, member{"os", e.Client.OS})
	w.list("tags", e.Tags)
	w.metadata(e.Metadata)
}

// objectWriter appends the members of JSON objects. Text that is not UTF-8 gets the replacement character.
type objectWriter struct {
	out []byte
}

func (w *objectWriter) begin() { w.out = append(w.out, '{') }

func (w *objectWriter) end() { w.out = append(w.out, '}') }

// separate appends a comma unless an object or an array has just begun.
func (w *objectWriter) separate() {
	if last := w.out[len(w.out)-1]; last != '{' && last != '[' {
		w.out = append(w.out, ',')
	}
}

// name begins a member whose name needs no escaping.
func (w *objectWriter) name(name string) {
	w.separate()
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *objectWriter) quote(s string) {
	// The error says that something was replaced.
	w.out, _ = jsontext.AppendQuote(w.out, s)
}

func (w *objectWriter) text(name, value string) {
	w.name(name)
	w.quote(value)
}

func (w *objectWriter) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *objectWriter) flag(name string, value bool) {
	if value {
		w.name(name)
		w.out = append(w.out, "true"...)
	}
}

func (w *objectWriter) time(name string, t time.Time) {
	w.name(name)
	w.out = append(w.out, '"')
	w.out = t.UTC().AppendFormat(w.out, time.RFC3339Nano)
	w.out = append(w.out, '"')
}

func (w *objectWriter) list(name string, values []string) {
	if values == nil {
		return
	}
	w.name(name)
	w.out = append(w.out, '[')
	for _, v := range values {
		w.separate()
		w.quote(v)
	}
	w.out = append(w.out, ']')
}

// member is a member of an object of texts.
type member struct{ name, value string }

// object appends an object of those members that have a value, if any.
func (w *objectWriter) object(name string, members ...member) {
	if !slices.ContainsFunc(members, func(m member) bool { return m.value != "" }) {
		return
	}
	w.name(name)
	w.begin()
	for _, m := range members {
		w.optional(m.name, m.value)
	}
	w.end()
}

// metadata appends the values by name, in the order of the names.
func (w *objectWriter) metadata(values map[string]string) {
	if values == nil {
		return
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	w.name("metadata")
	w.begin()
	for _, name := range names {
		w.separate()
		w.quote(name)
		w.out = append(w.out, ':')
		w.quote(values[name])
	}
	w.end()
}

// appendCompact appends JSON without the white space between its tokens.
func appendCompact(out, raw []byte) []byte {
	from := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = endOfString(raw, i)
		case ' ', '\t', '\r', '\n':
			out = append(out, raw[from:i]...)
			from = i + 1
		}
	}
	return append(out, raw[min(from, len(raw)):]...)
}

// endOfString returns the index of the quote that ends the string that begins at start.
func endOfString(raw []byte, start int) int {
	for i := start + 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(raw)
}
