package postgresqlsink

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
)

// row is what the table has of an event.
type row struct {
	message          *sink.Message
	event            event.Event
	deadLetterSink   string
	deadLetterReason string
	// metadata and record are JSON that jsonb takes; record is the data of the event without raw.
	metadata, record string
	// raw is the provider's JSON, byte for byte; nil = the event has none.
	raw []byte
}

// rowsOf returns the rows of messages, and which messages cannot be one.
func rowsOf(messages []sink.Message) (rows []row, failed map[int]error) {
	rows = make([]row, len(messages))
	for i := range messages {
		if err := rows[i].fill(&messages[i]); err != nil {
			if failed == nil {
				failed = map[int]error{}
			}
			failed[i] = sink.Permanent(fmt.Errorf("the message cannot be a row: %w", err))
		}
	}
	return rows, failed
}

func (r *row) fill(m *sink.Message) error {
	envelope, err := event.ParseEnvelope(m.Envelope)
	if err != nil {
		return err
	}
	if r.event, err = envelope.Event(); err != nil {
		return err
	}
	r.message, r.event.Type = m, event.TypeOf(m.Type)
	r.deadLetterSink, r.deadLetterReason = envelope.DeadLetterSink, envelope.DeadLetterReason
	record, raw, err := split(envelope.Data)
	if err != nil {
		return err
	}
	r.raw = raw
	if r.record, err = storable(record); err != nil || len(r.event.Metadata) == 0 {
		return err
	}
	metadata, err := json.Marshal(r.event.Metadata, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	r.metadata, err = storable(metadata)
	return err
}

var errNoRecord = errors.New("its data is no object")

// split takes raw out of an event's data. What is not known is left as it is.
func split(data []byte) (record, raw []byte, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, nil, errNoRecord
	}
	record = append(make([]byte, 0, len(data)), '{')
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return nil, nil, err
		}
		isRaw := string(name) == `"raw"`
		name = bytes.Clone(name)
		value, err := d.ReadValue()
		if err != nil {
			return nil, nil, err
		}
		if isRaw {
			raw = bytes.Clone(value)
			continue
		}
		if len(record) > 1 {
			record = append(record, ',')
		}
		record = append(append(append(record, name...), ':'), value...)
	}
	return append(record, '}'), raw, nil
}

// storable returns JSON without what jsonb does not take: NUL, halves of surrogate pairs, and what is not UTF-8 become U+FFFD.
func storable(value jsontext.Value) (string, error) {
	value = bytes.Clone(value)
	if err := value.Format(jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(false)); err != nil {
		return "", err
	}
	const nul = `\u0000`
	if !bytes.Contains(value, []byte(nul)) {
		return string(value), nil
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] != '\\':
			b.WriteByte(value[i])
		case bytes.HasPrefix(value[i:], []byte(nul)):
			b.WriteRune('\uFFFD')
			i += len(nul) - 1
		default: // it escapes the next one, which may be another backslash
			b.Write(value[i : i+2])
			i++
		}
	}
	return b.String(), nil
}

// text returns a value that text takes, or nil for an empty one.
func text(value string) *string {
	if value == "" {
		return nil
	}
	value = strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", "\uFFFD"), "\uFFFD")
	return &value
}
