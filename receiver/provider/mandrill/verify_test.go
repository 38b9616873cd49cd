package mandrill_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/mandrill"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mandrill"
)

const key = `{"webhookKeys": ["k"]}`

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := mandrill.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// post returns a form as it arrives at an endpoint.
func post(body string) *provider.Request {
	return &provider.Request{
		Method: http.MethodPost, Host: "hooks.example.com", Path: "/hooks/mail/mandrill",
		Header: http.Header{"Content-Type": {formType}}, Body: []byte(body), ReceivedAt: received(),
	}
}

// TestVerify holds values that were computed with Python's hmac module.
func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		events    = "mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D"
		url       = `"https://hooks.example.com/hooks/mail/mandrill"`
		plain     = "rRxtB3hu06CsboRKOLH1V8ayqtY="
		withMore  = "j9dyky70Fb5EwfiHPmuXNXT5cdQ="
		withUser  = "6FgIo1qSJoL74QChbcGSbBC1Y2A="
		withQuery = "xr1/xY3beX9ZvFGYMi7vFMynB2E="
		noEvents  = "eqHNWeoQhu0UrHcJ8DElTeHERhs="
	)
	mismatch, malformed, missing := provider.Refuse(provider.ReasonMismatch), provider.Refuse(provider.ReasonMalformed), provider.Refuse(provider.ReasonMissing)
	for name, c := range map[string]struct {
		reason, urls, body, value string
		change                    func(*provider.Request)
		want                      error
	}{
		"the URL that the request names":  {reason: "the default", value: plain},
		"a listed URL":                    {reason: "what was typed at Mandrill", urls: url, value: plain, change: func(r *provider.Request) { r.Host, r.Path = "10.0.0.7:8080", "/elsewhere" }},
		"the second of them":              {reason: "an endpoint that moves", urls: `"https://old.example.com/", ` + url, value: plain},
		"with the user name and password": {reason: "as Mandrill signs it", urls: `"https://u:p@hooks.example.com/hooks/mail/mandrill"`, value: withUser},
		"without the one that is signed":  {reason: "only a listed URL has one", value: withUser, want: mismatch},
		"with the one that is not signed": {reason: "the URL is signed as a whole", urls: `"https://u:p@hooks.example.com/hooks/mail/mandrill"`, value: plain, want: mismatch},
		"with a slash at the end":         {reason: "the URL is signed as a whole", urls: `"https://hooks.example.com/hooks/mail/mandrill/"`, value: plain, want: mismatch},
		"the host of the exposure":        {reason: "a proxy changes the Host", value: plain, change: func(r *provider.Request) { r.Base, r.Host = "https://hooks.example.com", "10.0.0.7:8080" }},
		"another host":                    {reason: "it is signed", value: plain, change: func(r *provider.Request) { r.Host = "other.example.com" }, want: mismatch},
		"a query":                         {reason: "part of the URL", value: withQuery, change: func(r *provider.Request) { r.Query = "a=1&b=%20" }},
		"a query that is not signed":      {reason: "part of the URL", value: plain, change: func(r *provider.Request) { r.Query = "a=1" }, want: mismatch},
		"more fields":                     {reason: "sorted by name", body: "z=1&" + events + "&a=x+y", value: withMore},
		"more fields in another order":    {reason: "sorted by name", body: events + "&a=x%20y&z=1", value: withMore},
		"the same, escaped otherwise":     {reason: "what is signed is decoded", body: strings.ReplaceAll(events, "send", "%73end"), value: plain},
		"bytes shifted into a name":       {reason: "nothing separates names and values", body: "mandrill_even=ts%5B%7B%22event%22%3A%22send%22%7D%5D", value: plain, want: malformed},
		"bytes shifted into a value":      {reason: "nothing separates names and values", body: "m=andrill_events%5B%7B%22event%22%3A%22send%22%7D%5D", value: plain, want: malformed},
		"events twice":                    {reason: "nobody knows which count", body: events + "&mandrill_events=%5B%5D", value: plain, want: malformed},
		"no events":                       {reason: "what is signed is something else", body: "a=1", value: noEvents, want: malformed},
		"no form":                         {reason: "Mandrill posts forms", body: `[{"event":"send"}]`, value: plain, want: malformed},
		"a form in JSON":                  {reason: "events keep forms like that, and nobody sends them", body: `{"mediaType":"` + formType + `","fields":[{"name":"mandrill_events","value":"[{\"event\":\"send\"}]"}]}`, value: plain, want: malformed},
		"a multipart":                     {reason: "Mandrill posts none", body: "--b\r\nContent-Disposition: form-data; name=mandrill_events\r\n\r\n[{\"event\":\"send\"}]\r\n--b--", value: plain, change: contentType("multipart/form-data; boundary=b"), want: malformed},
		"without a Content-Type":          {reason: "nobody knows what it is", value: plain, change: contentType(""), want: malformed},
		"a thousand fields and one":       {reason: "bounded", body: events + strings.Repeat("&a=1", 1000), value: plain, want: malformed},
		"half an escape":                  {reason: "no form", body: events + "%5", value: plain, want: malformed},
		"base64 that is none":             {reason: "garbage", value: "!" + plain[1:], want: malformed},
		"a digest in hexadecimal":         {reason: "another encoding", value: strings.Repeat("0f", 20), want: malformed},
		"another digest":                  {reason: "one bit", value: "rextB3hu06CsboRKOLH1V8ayqtY=", want: mismatch},
		"the key of the set-up":           {reason: "everybody knows it, and events are none", value: "7pQwKRmduDNtbvt0R8fVkBaYU8o=", want: mismatch},
		"nothing":                         {reason: "everybody can send that", want: missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := key
			if c.urls != "" {
				settings = `{"webhookKeys": ["k"], "publicURLs": [` + c.urls + `]}`
			}
			r := post(cmp.Or(c.body, events))
			r.Header.Set("X-Mandrill-Signature", c.value)
			if c.change != nil {
				c.change(r)
			}
			_, err := webhook(t, settings).Verify(t.Context(), r)
			if fmt.Sprint(err) != fmt.Sprint(c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

func contentType(text string) func(*provider.Request) {
	return func(r *provider.Request) { r.Header.Set("Content-Type", text) }
}

// TestHandshake has what Mandrill sends before anybody knows the key, and what somebody else might send in its place.
func TestHandshake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, body string
		change       func(*provider.Request)
		want         bool
	}{
		"nothing, as it is sent":     {"the set-up", "mandrill_events=%5B%5D", nil, true},
		"not escaped":                {"it says the same", "mandrill_events=[]", nil, true},
		"signed with its key":        {"it makes no difference", "mandrill_events=%5B%5D", signAs("test-webhook"), true},
		"signed with another":        {"nor does that: there is nothing to forge", "mandrill_events=%5B%5D", signAs("other"), true},
		"an event":                   {"only who has the key sends those", "mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D", nil, false},
		"an event, signed with it":   {"everybody has that key", "mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D", signAs("test-webhook"), false},
		"nothing, and then an event": {"one of them could be read", "mandrill_events=%5B%5D&mandrill_events=%5B%7B%7D%5D", nil, false},
		"nothing, and more":          {"Mandrill sends one field", "mandrill_events=%5B%5D&a=1", nil, false},
		"an object":                  {"no list", "mandrill_events=%7B%7D", nil, false},
		"blanks":                     {"exactly what is sent, and nothing like it", "mandrill_events=%5B+%5D", nil, false},
		"a list in a list":           {"an item that cannot be read is kept", "mandrill_events=%5B%5B%5D%5D", nil, false},
		"JSON":                       {"Mandrill posts forms", "[]", nil, false},
		"a form in JSON":             {"Mandrill posts forms", `{"mediaType":"` + formType + `","fields":[]}`, nil, false},
		"no body":                    {"nothing asks for nothing", "", nil, false},
		"long":                       {"what is not short is not parsed twice", "mandrill_events=%5B%5D" + strings.Repeat("&", 100), nil, false},
		"without a Content-Type":     {"no form", "mandrill_events=%5B%5D", contentType(""), false},
		"a HEAD":                     {"it has no body; who asks gets 200 anyhow", "", func(r *provider.Request) { r.Method = http.MethodHead }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := post(c.body)
			if c.change != nil {
				c.change(r)
			}
			w := webhook(t, key)
			reply, got := w.(provider.Handshaker).Handshake(r)
			if got != c.want || reply.Status != 0 || len(reply.Body) > 0 {
				t.Errorf("%s: got %v with %+v, want %v", c.reason, got, reply, c.want)
			}
			if events := w.Decode(r); got && len(events.Events)+len(events.Undecodable) > 0 {
				t.Errorf("%s: what passes could be %+v", c.reason, events)
			}
		})
	}
	if methods := webhook(t, key).(provider.Handshaker).Methods(); len(methods) > 0 {
		t.Errorf("it asks with %v", methods)
	}
}

func signAs(secret string) func(*provider.Request) {
	return func(r *provider.Request) {
		if err := simulated.Sign([]byte(`{"webhookKeys": ["`+secret+`"]}`), nil, r); err != nil {
			panic(err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`{}`:                     "webhookKeys: must hold at least one key",
		`{"webhookKeys": []}`:    "webhookKeys: must hold at least one key",
		`{"webhookKeys": [" "]}`: "webhookKeys: a secret is empty",
		`{"webhookKeys": ["k"], "publicURLs": []}`:                            "",
		urls(`hooks.example.com/u`):                                           "publicURLs[0]: must be an absolute http or https URL",
		urls(`ftp://u:secret@hooks.example.com/`):                             "publicURLs[0]: must be an absolute http or https URL",
		urls(`https:///path`):                                                 "publicURLs[0]: must be an absolute http or https URL",
		urls(`https://hooks.example.com/#secret`):                             "publicURLs[0]: must be an absolute http or https URL",
		urls(`https://u:secret@a b/`):                                         "publicURLs[0]: must be an absolute http or https URL",
		urls(`https://u:p@hooks.example.com:8443/a/?b=c`):                     "",
		urls(`http://a/", "http://b/", "http://c/", "http://d/", "http://e/`): "publicURLs: must hold at most 4",
	} {
		_, err := mandrill.Kind().New([]byte(settings), provider.Environment{})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@")) {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
	}
}

func urls(list string) string { return `{"webhookKeys": ["k"], "publicURLs": ["` + list + `"]}` }
