package httpsink

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/event"
)

// around returns what a provider puts before and behind its events, also around one alone, so that software which knows it takes nothing else.
func around(provider string) (before, behind string) {
	for _, p := range catalogue.Providers() {
		if p.Type == provider {
			before, behind, _ = strings.Cut(p.Around, "@")
		}
	}
	return before, behind
}

// mandrillField is the field of Mandrill's form that holds its events.
const mandrillField = "mandrill_events"

// wrapped are what an event keeps of what a provider sent that is no JSON, or none that every reader takes: beside the media type one of the others.
type wrapped struct {
	MediaType string         `json:"mediaType"`
	Text      *string        `json:"text,omitzero"`
	Base64    []byte         `json:"base64,omitzero"`
	Fields    jsontext.Value `json:"fields,omitzero"`
}

var errForm = errors.New("what was kept of a form cannot be read")

// sent returns the body of which an event has kept raw, and the headers that tell what it is.
func sent(e *event.Event) (http.Header, []byte, error) {
	var w wrapped
	if json.Unmarshal(e.Raw, &w, json.RejectUnknownMembers(true)) == nil && w.MediaType != "" {
		switch {
		case w.Fields != nil:
			f, err := form.Parse("", e.Raw)
			if err != nil {
				return nil, nil, errForm
			}
			return encoded(&f)
		case w.Text != nil:
			return textual(w.MediaType), []byte(*w.Text), nil
		case len(w.Base64) > 0:
			return textual(w.MediaType), w.Base64, nil
		}
	}
	return enveloped(e)
}

func textual(mediaType string) http.Header { return http.Header{"Content-Type": {mediaType}} }

// enveloped returns the body around JSON that was kept of an event.
func enveloped(e *event.Event) (http.Header, []byte, error) {
	header := http.Header{"Content-Type": {jsonType}}
	before, behind := around(e.Provider)
	switch {
	case e.Provider == "AzureCommunicationServices" && texts(e.Raw)["specversion"] != "":
		// Event Grid has two schemas, and lists in one of them only.
		header.Set("Content-Type", structuredType)
		before, behind = "", ""
	case e.Provider == "Brevo" && e.Type == event.Received:
		before, behind = `{"items":[`, "]}"
	}
	body := slices.Concat([]byte(before), e.Raw, []byte(behind))
	if e.Provider == "Mandrill" {
		f := form.Form{MediaType: form.URLEncoded, Fields: []form.Field{{Name: mandrillField, Value: body}}}
		return encoded(&f)
	}
	setSNS(header, body)
	return header, body, nil
}

func encoded(f *form.Form) (http.Header, []byte, error) {
	body, contentType, err := f.Encode()
	return http.Header{"Content-Type": {contentType}}, body, err
}
