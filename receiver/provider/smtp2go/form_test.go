package smtp2go_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

const urlEncoded = "application/x-www-form-urlencoded"

func decodeForm(t testing.TB, mediaType, body string) provider.Batch {
	t.Helper()
	return webhook(t).Decode(&provider.Request{Header: http.Header{"Content-Type": {mediaType}}, Body: []byte(body), ReceivedAt: received()})
}

func TestForms(t *testing.T) {
	t.Parallel()
	const opened = "event=open&time=2026-01-01T10%3A00%3A00Z&rcpt=a%40example.com&email_id=e1"
	for name, c := range map[string]struct {
		mediaType, body string
		get             func(*event.Event) any
		want            any
	}{
		"a form":                      {urlEncoded, opened, func(e *event.Event) any { return []any{e.Type, e.Recipient, e.Time.Hour()} }, []any{event.Opened, "a@example.com", 10}},
		"its character set":           {urlEncoded + "; charset=utf-8", opened, func(e *event.Event) any { return e.Type }, event.Opened},
		"a type in capitals":          {"Application/X-WWW-Form-URLEncoded", opened, func(e *event.Event) any { return e.Type }, event.Opened},
		"JSON that is called a form":  {urlEncoded, item("open", ``), func(e *event.Event) any { return e.Type }, event.Opened},
		"a bounce":                    {urlEncoded, "event=bounce&bounce=hard&message=550+5.1.1+no", func(e *event.Event) any { return []any{e.Bounce, e.SMTPCode} }, []any{event.Bounce{Type: event.Hard, Category: "user_unknown"}, 550}},
		"recipients one by one":       {urlEncoded, opened + "&recipients=a%40example.com&recipients=b%40example.com", func(e *event.Event) any { return e.Recipients }, []string{"a@example.com", "b@example.com"}},
		"recipients as PHP has them":  {urlEncoded, opened + "&recipients[]=a%40example.com&recipients%5B%5D=b%40example.com", func(e *event.Event) any { return e.Recipients }, []string{"a@example.com", "b@example.com"}},
		"recipients in one text":      {urlEncoded, opened + "&recipients=a%40example.com%2Cb%40example.com", func(e *event.Event) any { return e.Recipients }, []string{"a@example.com", "b@example.com"}},
		"a header field":              {urlEncoded, opened + "&X-Order=o-1", func(e *event.Event) any { return e.Metadata }, map[string]string{"X-Order": "o-1"}},
		"a quote and a line break":    {urlEncoded, opened + "&subject=%22a%22%0D%0Ab", func(e *event.Event) any { return e.Subject }, "\"a\"\r\nb"},
		"bytes that are not UTF-8":    {urlEncoded, opened + "&subject=%FF", func(e *event.Event) any { return e.Subject }, "\ufffd"},
		"the same field twice":        {urlEncoded, opened + "&email_id=e1", func(e *event.Event) any { return e.ProviderMessageID }, "e1"},
		"what is kept":                {urlEncoded, "event=open&auth=user", func(e *event.Event) any { return string(e.Raw) }, `{"mediaType":"` + urlEncoded + `","fields":[{"name":"event","value":"open"}]}`},
		"fields without a value":      {urlEncoded, opened + "&subject=&host", func(e *event.Event) any { return []any{e.Subject, e.Details["host"]} }, []any{"", ""}},
		"a user called otherwise":     {urlEncoded, opened + "&AUTH=user", func(e *event.Event) any { return e.Metadata }, map[string]string{"AUTH": "user"}},
		"as SMTP2GO would post it":    {urlEncoded, opened, func(e *event.Event) any { return e.ID == one(t, decode(t, item("open", ``))).ID }, true},
		"one that is told in a form,": {"", `{"mediaType":"` + urlEncoded + `","fields":[{"name":"event","value":"open"}]}`, func(e *event.Event) any { return e.Type }, event.Opened},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, decodeForm(t, c.mediaType, c.body))
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFormsThatAreNone has forms of which no event can be made. All of each is kept.
func TestFormsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ mediaType, body string }{
		"without its type":   {"", "event=open"},
		"as text":            {"text/plain", "event=open"},
		"of parts":           {"multipart/form-data; boundary=b", "--b--"},
		"not encoded":        {urlEncoded, "event=open&a=%zz"},
		"no event":           {urlEncoded, "rcpt=a%40example.com"},
		"two events":         {urlEncoded, "event=open&event=click"},
		"an empty event":     {urlEncoded, "event="},
		"of too many fields": {urlEncoded, "event=open" + strings.Repeat("&a=b", 1000)},
	} {
		b := decodeForm(t, c.mediaType, c.body)
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != c.body || b.Undecodable[0].Reason == "" {
			t.Errorf("%s: %+v", name, b)
		}
	}
}
