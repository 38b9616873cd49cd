package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
)

func TestContent(t *testing.T) {
	t.Parallel()

	sink := func(content string) string { return "type: Stdout\ncontent: " + content }
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all":          {"every treatment", sink("{raw: Drop, fields: [{name: recipient, as: Hash}, {name: ip, as: Mask}, {name: subject, as: Drop}, {name: 'metadata.*', as: Drop}, {name: metadata.order_id, as: Keep}], hashKeyRef: {name: a, key: b}}"), ""},
		"raw alone":    {"it can go alone", sink("{raw: Drop}"), ""},
		"kept":         {"nothing needs to go", sink("{fields: [{name: recipient, as: Keep}]}"), ""},
		"odd member":   {"senders name metadata as they like", sink("{raw: Drop, fields: [{name: 'metadata.a b.*é', as: Drop}]}"), ""},
		"empty":        {"the default stands for it", sink("{}"), ""},
		"raw is kept":  {"it holds the address", sink("{fields: [{name: recipient, as: Mask}]}"), "spec.content.raw: must be Drop when a field"},
		"no key":       {"an address is found by trying", sink("{raw: Drop, fields: [{name: recipient, as: Hash}]}"), "spec.content.hashKeyRef: must be set when"},
		"misspelt":     {"it would be sent", sink("{raw: Drop, fields: [{name: recipent, as: Drop}]}"), "spec.content.fields[0].name: must be a field of the record"},
		"attribute":    {"attributes follow fields", sink("{raw: Drop, fields: [{name: partitionkey, as: Drop}]}"), "spec.content.fields[0].name: must be a field of the record"},
		"whole map":    {"by a star", sink("{raw: Drop, fields: [{name: metadata, as: Drop}]}"), "spec.content.fields[0].name: metadata.* for all"},
		"the id":       {"it identifies the event", sink("{raw: Drop, fields: [{name: id, as: Drop}]}"), "spec.content.fields[0].name: what identifies an event"},
		"number":       {"it is no text", sink("{raw: Drop, fields: [{name: smtpCode, as: Mask}]}"), "spec.content.fields[0].as: must be Keep or Drop"},
		"twice":        {"which one is meant?", sink("{raw: Drop, fields: [{name: ip, as: Drop}, {name: ip, as: Mask}]}"), "spec.content.fields[1]: Duplicate"},
		"unknown word": {"enum", sink("{raw: Drop, fields: [{name: ip, as: Encrypt}]}"), `spec.content.fields[0].as: "Drop"`},
		"bad raw":      {"enum", sink("{raw: Mask}"), `spec.content.raw: "Drop"`},
	})
}

// TestContentKnowsTheRecord has the API server take and refuse the same fields as the receiver.
func TestContentKnowsTheRecord(t *testing.T) {
	t.Parallel()
	cases := map[string]admissionCase{}
	for _, f := range append(event.Fields(), event.Field{Name: "raw"}, event.Field{Name: "nothing"}) {
		for _, as := range []string{config.ContentDrop, config.ContentMask} {
			c := config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: f.Name, As: as}}}
			want := ""
			if err := c.Check(); err != nil {
				_, member, _ := strings.Cut(err.Error(), "fields[0].")
				want = "spec.content.fields[0]." + member[:strings.IndexAny(member, ": ")] + ": must be"
			}
			cases[f.Name+" "+as] = admissionCase{
				"one list of fields", fmt.Sprintf("type: Stdout\ncontent: {raw: Drop, fields: [{name: %q, as: %s}]}", f.Name, as), want,
			}
		}
	}
	runCreate(t, v1alpha1.EventSinkKind, cases)
}
