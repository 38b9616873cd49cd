package httpsink

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/envelope"
)

// jsonType is the media type of what a template makes, and of what most providers post (RFC 8259 section 11).
const jsonType = "application/json"

var errNoRaw = errors.New("body.type is Raw, and the event has no raw: its provider sent none, or it was dropped")

// recordOf returns the record of an event, as far as the sink may have it.
func recordOf(m *sink.Message) (event.Event, error) {
	parsed, err := event.ParseEnvelope(m.Envelope)
	if err != nil {
		return event.Event{}, sink.Permanent(envelope.ErrNotAnEvent)
	}
	e, err := parsed.Event()
	if err != nil {
		return event.Event{}, sink.Permanent(envelope.ErrNotAnEvent)
	}
	return e, nil
}

// templated sends the JSON that the template makes of an event. What fails for an event fails for no other.
func (t *target) templated(m *sink.Message) (content, error) {
	e, err := recordOf(m)
	if err != nil {
		return content{}, err
	}
	text, err := t.Template.Build(&e)
	if err != nil {
		return content{}, sink.Permanent(fmt.Errorf("body.template: %w", err))
	}
	return content{id: m.ID, header: http.Header{"Content-Type": {jsonType}}, body: single(text)}, nil
}

// raw sends what the provider sent of an event.
func raw(m *sink.Message) (content, error) {
	e, err := recordOf(m)
	switch {
	case err != nil:
		return content{}, err
	case len(e.Raw) == 0:
		return content{}, sink.Permanent(errNoRaw)
	}
	header, text, err := sent(&e)
	if err != nil {
		return content{}, sink.Permanent(fmt.Errorf("body.type is Raw: %w", err))
	}
	return content{id: m.ID, header: header, body: single(text)}, nil
}

// snsHeaders are those that SNS repeats of its messages, by the member that each repeats:
// https://docs.aws.amazon.com/sns/latest/dg/http-header.html
func snsHeaders() map[string]string {
	return map[string]string{"X-Amz-Sns-Message-Type": "Type", "X-Amz-Sns-Message-Id": "MessageId", "X-Amz-Sns-Topic-Arn": "TopicArn"}
}

// setSNS sets the headers of SNS where a body is one of its messages, by which those who take them tell what comes.
func setSNS(header http.Header, body []byte) {
	if !bytes.HasPrefix(body, []byte{'{'}) || !bytes.Contains(body, []byte(`"TopicArn"`)) {
		return
	}
	members := texts(body)
	for _, member := range snsHeaders() {
		if members[member] == "" {
			return
		}
	}
	for name, member := range snsHeaders() {
		header.Set(name, strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, members[member]))
	}
	header.Set("Content-Type", "text/plain; charset=UTF-8")
}

// texts returns the members of an object that are texts; none of what is no object.
func texts(object []byte) map[string]string {
	d := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil
	}
	members := map[string]string{}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return nil
		}
		name := token.String()
		if d.PeekKind() != '"' {
			if err := d.SkipValue(); err != nil {
				return nil
			}
			continue
		}
		value, err := d.ReadToken()
		if err != nil {
			return nil
		}
		members[name] = value.String()
	}
	return members
}
