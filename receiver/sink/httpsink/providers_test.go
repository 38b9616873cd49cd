package httpsink

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

// decoded decodes a request as an endpoint of the provider does.
func decoded(t *testing.T, vendor *simulate.Vendor, header http.Header, body []byte) provider.Batch {
	t.Helper()
	kind, _ := builtin.Lookup(vendor.Type)
	settings, err := vendor.Settings()
	if err != nil {
		t.Fatal(err)
	}
	webhook, err := kind.New(settings, provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Decode(&provider.Request{
		Method: http.MethodPost, Host: "example.com", Header: header, Body: body, ReceivedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	})
}

// TestRawIsWhatTheProviderSent sends each documented event of each provider on, and decodes it as if it came from the provider.
func TestRawIsWhatTheProviderSent(t *testing.T) {
	t.Parallel()
	for _, vendor := range simulate.Vendors() {
		t.Run(vendor.Type, func(t *testing.T) {
			t.Parallel()
			samples, err := vendor.Samples()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range samples {
				events := decoded(t, &vendor, s.Header, s.Body).Events
				for i := range events {
					checkSent(t, &vendor, s, events, i)
				}
			}
		})
	}
}

// checkSent compares what is sent of an event with the request that it came in, and with what becomes of it.
func checkSent(t *testing.T, vendor *simulate.Vendor, s simulate.Sample, events []event.Event, i int) {
	t.Helper()
	// Ids may rest on headers, and on credentials that are taken out; that raw has the same id at its own endpoint, package providertest tests.
	header, body, err := sent(&events[i])
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	if reason := apart(vendor.Type, s.Name); reason != "" {
		t.Logf("%s: %s", s.Name, reason)
		return
	}
	again := decoded(t, vendor, header, body)
	same := func(e event.Event) bool {
		return cmp.Equal(events[i], e, cmpopts.IgnoreFields(event.Event{}, "Raw", "ID", "ProviderEventID"))
	}
	// What Microsoft Graph sends is known by its clientState, which is taken out.
	if vendor.Type != "MicrosoftGraph" && !slices.ContainsFunc(again.Events, same) {
		t.Errorf("%s: %s %.300s\n is not the event that it was made of:\n%s", s.Name, header, body, cmp.Diff(events[i:i+1], again.Events))
	}
	if len(events) > 1 || strings.Contains(string(s.Body), `"encryptedContent"`) { // which is decrypted
		return
	}
	if got, want := mediaTypeOf(header), mediaTypeOf(s.Header); got != want {
		t.Errorf("%s: Content-Type %s, want %s", s.Name, got, want)
	}
	if diff := cmp.Diff(shape(t, vendor.Type, s.Header, s.Body), shape(t, vendor.Type, header, body)); diff != "" {
		t.Errorf("%s: not what the provider sent:\n%s", s.Name, diff)
	}
}

// apart says why a sample is not told again as it was.
func apart(provider, sample string) string {
	return map[string]string{
		"GmailPubSub/unwrapped-metadata": "what Pub/Sub knows of a message stands in headers",
		"Mailgun/legacy-opened":          "a variable of the sender has the name of the credential, which stands behind it in a request",
		"Mailtrap/single":                "Mailtrap posts events alone, too; its libraries take both",
		"Mailtrap/other":                 "as above",
	}[provider+"/"+sample]
}

func mediaTypeOf(h http.Header) string {
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// taken are the credentials, and URLs with some, that providers put into bodies and that are taken out of raw.
var taken = map[string][]string{
	"AmazonSES": {"Signature", "UnsubscribeURL", "SubscribeURL", "Token"}, "ScalewayTEM": {"Signature", "UnsubscribeURL", "SubscribeURL", "Token"},
	"Mailgun": {"signature", "token"}, "SMTP2GO": {"auth"}, "MailerSend": {"url"}, "UnisenderGo": {"auth"}, "Brevo": {"key"},
	"MicrosoftGraph": {"clientState"},
}

// shape returns what a body says, without what is taken out of raw.
func shape(t *testing.T, provider string, header http.Header, body []byte) any {
	t.Helper()
	if f, err := form.Parse(header.Get("Content-Type"), body); err == nil && mediaTypeOf(header) != jsonType {
		fields := map[string][]any{}
		for _, field := range f.Fields {
			if !slices.Contains(taken[provider], field.Name) {
				fields[field.Name] = append(fields[field.Name], parsed(field.Value, nil))
			}
		}
		return fields
	}
	return parsed(body, taken[provider])
}

// parsed returns the JSON that a text is, or else the text.
func parsed(text []byte, without []string) any {
	var v any
	if err := json.Unmarshal(text, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return string(text)
	}
	return dropped(v, without)
}

func dropped(v any, names []string) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = dropped(member, names); slices.Contains(names, name) {
				delete(v, name)
			}
		}
	case []any:
		for i := range v {
			v[i] = dropped(v[i], names)
		}
	}
	return v
}

// TestThePageNamesThoseWithSomethingAround keeps the page from saying something else than the catalogue.
func TestThePageNamesThoseWithSomethingAround(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/sinks/http.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, p := range catalogue.Providers() {
		if before, behind := around(p.Type); before+"@"+behind != p.Around && p.Around != "" {
			t.Errorf("%s: %s and %s are around its events", p.Type, before, behind)
		}
		if p.Around != "" {
			named = append(named, p.Title)
		}
	}
	slices.Sort(named)
	if want := "around its event: " + strings.Join(named, ", ") + "."; !strings.Contains(string(page), want) {
		t.Errorf("docs/sinks/http.md must say %q", want)
	}
}
