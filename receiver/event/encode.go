package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// errTime says that a time has no form in RFC 3339.
var errTime = errors.New("encode event: the year of its time is not 0 to 9999")

// EncodedSize returns about how many bytes [AppendEncode] appends. A few events of which nearly everything is repeated take more.
func EncodedSize(e *Event) int {
	return len(e.Raw) + min(len(e.Raw), maxRepeatedBytes) + perEventBytes
}

// An encoded event has about perEventBytes beside the raw payload and, of that, what the record repeats.
const (
	perEventBytes    = 1 << 10
	maxRepeatedBytes = 1 << 10
)

// MaxRecordBytes is about how much larger than its raw payload an encoded event can be: its metadata and its details have 64 KiB each.
const MaxRecordBytes = 192 << 10

// Encode returns e as a structured CloudEvents 1.0 JSON object on one line, with the given source. Raw must be JSON, as it is in
// every event that was decoded; only its white space is looked at.
func Encode(e *Event, source string) ([]byte, error) { return AppendEncode(nil, e, source) }

// AppendEncode appends to dst what [Encode] returns. On an error it returns dst as it was.
//
// It is written out rather than derived from the struct: it runs once per event, and reflection took a tenth of what a request
// costs. The tests hold it against the derived form.
func AppendEncode(dst []byte, e *Event, source string) ([]byte, error) {
	at := e.Time.UTC()
	if y := at.Year(); y < 0 || y > 9999 {
		return dst, errTime
	}
	var scratch [len(time.RFC3339Nano)]byte
	when := at.AppendFormat(scratch[:0], time.RFC3339Nano)
	w := objectWriter(slices.Grow(dst, EncodedSize(e)))
	w = w.begin().attributes(e, source, when)
	w = w.member(`"data":`).begin().identity(e, when).addresses(e).outcome(e).interaction(e)
	if e.Mail != nil {
		// Mail is rare and large: reflection costs little of what there is to do.
		mail, err := json.Marshal(e.Mail, marshalOptions())
		if err != nil {
			return dst, fmt.Errorf("encode mail: %w", err)
		}
		w = append(w.member(`"mail":`), mail...)
	}
	w = w.attached(e).flag(`"unverified":`, e.Unverified)
	if e.Raw != nil {
		w = appendCompact(w.member(`"raw":`), e.Raw)
	}
	return w.end().end(), nil
}

func (w objectWriter) attributes(e *Event, source string, when []byte) objectWriter {
	return w.member(`"specversion":"`+specVersion+`"`).
		text(`"id":`, e.ID).
		text(`"source":`, source).
		text(`"type":`, e.Type.CloudEvents()).
		attribute(`"subject":`, e.CloudEventsSubject()).
		time(`"time":`, when).
		member(`"datacontenttype":"`+dataContentType+`","dataschema":"`+DataSchema+`"`).
		lower(`"provider":`, e.Provider).
		attribute(`"providerevent":`, e.eventName()).
		attribute(`"partitionkey":`, e.Key()).
		optional(`"traceparent":`, e.TraceParent).
		flag(`"unverified":`, e.Unverified)
}

func (w objectWriter) identity(e *Event, when []byte) objectWriter {
	return w.text(`"id":`, e.ID).
		text(`"type":`, string(e.Type)).
		text(`"provider":`, e.Provider).
		optional(`"providerEvent":`, e.ProviderEvent).
		time(`"time":`, when).
		optional(`"timeRaw":`, e.TimeRaw).
		flag(`"timeZoneAssumed":`, e.TimeZoneAssumed).
		flag(`"timeImplausible":`, e.TimeImplausible).
		flag(`"late":`, e.Late)
}

func (w objectWriter) addresses(e *Event) objectWriter {
	return w.optional(`"recipient":`, e.Recipient).
		list(`"recipients":`, e.Recipients).
		optional(`"sender":`, e.Sender).
		optional(`"subject":`, e.Subject).
		optional(`"messageId":`, e.MessageID).
		optional(`"providerMessageId":`, e.ProviderMessageID).
		optional(`"providerEventId":`, e.ProviderEventID).
		optional(`"correlationId":`, e.CorrelationID).
		optional(`"account":`, e.Account)
}

func (w objectWriter) outcome(e *Event) objectWriter {
	if e.SMTPCode != 0 {
		w = strconv.AppendInt(w.member(`"smtpCode":`), int64(e.SMTPCode), 10)
	}
	return w.optional(`"enhancedCode":`, e.EnhancedCode).
		optional(`"reason":`, e.Reason).
		optional(`"diagnostic":`, e.Diagnostic).
		object(`"bounce":`, pair{`"type":`, string(e.Bounce.Type)}, pair{`"category":`, e.Bounce.Category}).
		object(`"reject":`, pair{`"reason":`, string(e.Reject.Reason)}).
		object(`"complaint":`, pair{`"feedbackType":`, e.Complaint.FeedbackType})
}

func (w objectWriter) interaction(e *Event) objectWriter {
	return w.optional(`"url":`, e.URL).
		optional(`"ip":`, e.IP).
		optional(`"userAgent":`, e.UserAgent).
		object(`"client":`, pair{`"name":`, e.Client.Name}, pair{`"os":`, e.Client.OS})
}

func (w objectWriter) attached(e *Event) objectWriter {
	return w.list(`"tags":`, e.Tags).
		texts(`"metadata":`, e.Metadata).
		texts(`"details":`, e.Details).
		flag(`"truncated":`, e.Truncated)
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

// member appends a member, or begins one, that is JSON already. All methods take names as JSON, with their quotes and the colon.
func (w objectWriter) member(text string) objectWriter { return append(w.separate(), text...) }

func (w objectWriter) quote(s string) objectWriter {
	if PlainLength(s) < len(s) {
		// The error says that something was replaced.
		w, _ = jsontext.AppendQuote([]byte(w), s)
		return w
	}
	w = append(w, '"')
	w = append(w, s...)
	return append(w, '"')
}

func (w objectWriter) text(name, value string) objectWriter {
	return w.member(name).quote(value)
}

func (w objectWriter) optional(name, value string) objectWriter {
	if value == "" {
		return w
	}
	return w.text(name, value)
}

// attribute appends an optional attribute of CloudEvents.
func (w objectWriter) attribute(name, value string) objectWriter {
	return w.optional(name, attributeText(value))
}

// lower appends optional text of ASCII in lower case.
func (w objectWriter) lower(name, value string) objectWriter {
	start := len(w)
	w = w.optional(name, value)
	for i := start; i < len(w); i++ {
		if 'A' <= w[i] && w[i] <= 'Z' {
			w[i] |= 0x20
		}
	}
	return w
}

func (w objectWriter) flag(name string, value bool) objectWriter {
	if !value {
		return w
	}
	return append(w.member(name), "true"...)
}

// time appends a time of RFC 3339, which needs no escaping.
func (w objectWriter) time(name string, when []byte) objectWriter {
	w = append(w.member(name), '"')
	w = append(w, when...)
	return append(w, '"')
}

func (w objectWriter) list(name string, values []string) objectWriter {
	if values == nil {
		return w
	}
	w = append(w.member(name), '[')
	for _, v := range values {
		w = w.separate().quote(v)
	}
	return append(w, ']')
}

// pair is a member of an object of texts.
type pair struct{ name, value string }

// object appends an object of those members that have a value, if any.
func (w objectWriter) object(name string, members ...pair) objectWriter {
	if !slices.ContainsFunc(members, func(m pair) bool { return m.value != "" }) {
		return w
	}
	w = w.member(name).begin()
	for _, m := range members {
		w = w.optional(m.name, m.value)
	}
	return w.end()
}

// texts appends an object of texts, in the order of their names.
func (w objectWriter) texts(name string, values map[string]string) objectWriter {
	if values == nil {
		return w
	}
	var scratch [16]pair // as many as most events have
	members := scratch[:0]
	for key, value := range values {
		members = append(members, pair{key, value})
	}
	slices.SortFunc(members, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	w = w.member(name).begin()
	for _, m := range members {
		w = append(w.separate().quote(m.name), ':')
		w = w.quote(m.value)
	}
	return w.end()
}

// appendCompact appends JSON without the white space between its tokens.
func appendCompact(out, raw []byte) []byte {
	for part := range CompactParts(raw) {
		out = append(out, part...)
	}
	return out
}

// IsCompact reports whether JSON has no white space between its tokens, as what most providers send.
func IsCompact(raw []byte) bool {
	for part := range CompactParts(raw) {
		return len(part) == len(raw)
	}
	return true
}

// CompactParts returns JSON in parts, without the white space between its tokens: the form that it has in an encoded event.
func CompactParts(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		from := 0
		for i := 0; i < len(raw); {
			switch {
			case raw[i] == '"':
				i = endOfString(raw, i+1)
			case raw[i] > ' ':
				i++
			default:
				if from < i && !yield(raw[from:i]) {
					return
				}
				for i < len(raw) && raw[i] <= ' ' {
					i++
				}
				from = i
			}
		}
		if from < len(raw) {
			yield(raw[from:])
		}
	}
}

// endOfString returns where the string ends of which the rest begins at an index.
func endOfString(raw []byte, i int) int {
	for i < len(raw) {
		if i+wordBytes <= len(raw) {
			ends := quotesAndBackslashes(binary.LittleEndian.Uint64(raw[i:]))
			if ends == 0 {
				i += wordBytes
				continue
			}
			i += bits.TrailingZeros64(ends) / 8
		}
		switch raw[i] {
		case '"':
			return i + 1
		case '\\':
			i += 2 // and what it escapes, which may be a quote
		default:
			i++
		}
	}
	return len(raw)
}
