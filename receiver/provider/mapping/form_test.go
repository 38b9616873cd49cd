package mapping_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

const (
	urlEncoded = "application/x-www-form-urlencoded; charset=utf-8"
	multipart  = `multipart/form-data; boundary="xx"`
)

// formRules are those of a sender of forms.
func formRules() mapping.Rules {
	return mapping.Rules{
		Type: "item.event", Types: map[string]string{"open": "email.opened"}, Time: "item.at",
		Fields:   map[string]string{"recipient": "item.email", "tags": "item.tag", "smtpCode": "int(item.code)", "details.file": "item.attachment.file", "subject": `item["the-subject"]`},
		Metadata: "{'order': item.order}",
	}
}

func decodeForm(m *mapping.Mapping, contentType, body string) provider.Batch {
	r := &provider.Request{Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body), ReceivedAt: received()}
	return m.Decode(r, mapping.Origin{Provider: "Custom"})
}

// TestForms has one event in both kinds of forms, decoded again from what is kept of it.
func TestForms(t *testing.T) {
	t.Parallel()
	m := compile(t, formRules())
	part := func(name, value string) string {
		return "--xx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	for name, c := range map[string]struct{ contentType, body string }{
		"percent-encoded": {urlEncoded, "event=open&at=1767261600&email=A+%3Ca%40example.com%3E&tag=x&tag=y&code=250&order=o%261&the-subject=hello"},
		"multipart":       {multipart, part("event", "open") + part("at", "1767261600") + part("email", "A <a@example.com>") + part("tag", "x") + part("tag", "y") + part("code", "250") + part("order", "o&1") + part("the-subject", "hello") + "--xx--\r\n"},
	} {
		b := decodeForm(m, c.contentType, c.body)
		if len(b.Events) != 1 || len(b.Undecodable) != 0 {
			t.Fatalf("%s: %+v", name, b)
		}
		e := b.Events[0]
		got := []any{e.Type, e.Recipient, e.Tags, e.SMTPCode, e.Metadata, e.Subject, e.TimeRaw}
		if diff := cmp.Diff([]any{event.Opened, "a@example.com", []string{"x", "y"}, 250, map[string]string{"order": "o&1"}, "hello", "1767261600"}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if !strings.HasPrefix(string(e.Raw), `{"mediaType":"`) {
			t.Errorf("%s: raw is %s", name, e.Raw)
		}
		if diff := cmp.Diff(b, decodeForm(m, "", string(wire.Unwrap(e.Raw)))); diff != "" {
			t.Errorf("%s: decoded again from raw:\n%s", name, diff)
		}
	}
}

// TestOddForms has forms that are odd, and bodies that an attacker gives another Content-Type.
func TestOddForms(t *testing.T) {
	t.Parallel()
	file := "--xx\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a.txt\"\r\n\r\n\xff\x00\r\n--xx--\r\n"
	for name, c := range map[string]struct {
		items, contentType, body string
		events                   int
		say                      string
	}{
		"a file":                         {"", multipart, file, 1, ""},
		"no fields":                      {"", urlEncoded, "&", 1, ""},
		"a name without a value":         {"", urlEncoded, "event", 1, ""},
		"not UTF-8":                      {"", urlEncoded, "event=open&x=%ff", 1, ""},
		"a bad escape":                   {"", urlEncoded, "event=%zz", 0, "percent-encoded"},
		"a number that is none":          {"", urlEncoded, "event=open&code=many", 0, "fields.smtpCode: "},
		"items of a form":                {"body.events", urlEncoded, "event=open", 0, "items: a form is one event"},
		"a form that calls itself JSON":  {"", "application/json", "event=open", 0, "JSON"},
		"JSON that calls itself a form":  {"", urlEncoded, `{"event":"open"}`, 1, ""},
		"lists that call themselves one": {"", urlEncoded, `[{"event":"open"},{"event":"open","a":1}]`, 2, ""},
		"another boundary":               {"", `multipart/form-data; boundary="yy"`, strings.Replace(file, "\xff\x00", "--yy\r\n\r\nmoved\r\n--yy--", 1), 0, "must begin with the boundary"},
		"no boundary":                    {"", "multipart/form-data", file, 0, "must begin with the boundary"},
		"a multipart that ends early":    {"", multipart, file[:len(file)-8], 0, "ends early"},
		"what looks like a kept form":    {"", "application/json", `{"mediaType":"application/json","fields":[],"event":"open"}`, 1, ""},
		"nothing":                        {"", urlEncoded, "", 0, "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := formRules()
			rules.Items = c.items
			b := decodeForm(compile(t, rules), c.contentType, c.body)
			if len(b.Events) != c.events || c.say != "" && (len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, c.say)) {
				t.Errorf("%d events, %+v", len(b.Events), b.Undecodable)
			}
			for _, u := range b.Undecodable {
				if string(u.Raw) != c.body {
					t.Errorf("the dead letter holds %q", u.Raw)
				}
			}
		})
	}
}

// TestFormIdentity has forms that say the same in other bytes, and forms that do not.
func TestFormIdentity(t *testing.T) {
	t.Parallel()
	m := compile(t, formRules())
	id := func(body string) string { return decodeForm(m, urlEncoded, body).Events[0].ID }
	if id("event=open&email=a") != id("email=%61&event=open") {
		t.Error("the order of fields, or their encoding, makes another event")
	}
	if id("event=open&tag=x") == id("event=open&tag=x&tag=x") {
		t.Error("a field that is sent twice is sent once")
	}
	for _, other := range []string{"event=open&email=b", "event=open&email=a&tag=x", "event=open&email=a&tag=x&tag=x", "event=open&email=a&x="} {
		if id("event=open&email=a") == id(other) {
			t.Errorf("%s is the same event", other)
		}
	}
}
