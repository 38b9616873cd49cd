package intake_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/provider"
	providers "github.com/mailvane/mailvane/receiver/provider/builtin"
)

const probeToken = "a-token-of-16-bytes"

// vendorEndpoint returns an endpoint for the samples of a provider, with a token in its path as well, and reports whether the provider
// itself authenticates a request there.
func vendorEndpoint(t *testing.T, vendor *simulate.Vendor) (e config.Endpoint, authenticates bool) {
	t.Helper()
	settings, err := vendor.Settings()
	if err != nil {
		t.Fatal(err)
	}
	kind, ok := providers.Lookup(vendor.Type)
	if !ok {
		t.Fatalf("no provider %s", vendor.Type)
	}
	w, err := kind.New(settings, provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	a, asks := w.(provider.Authenticator)
	return emailEngine(func(e *config.Endpoint) {
		withToken(e)
		e.Name, e.Path = "probed", "/hooks/mail/probed"
		e.Provider = config.Plugin{Type: vendor.Type, Settings: settings}
	}), !asks || a.Authenticates()
}

// A mail as the inbound routes of several providers post it.
const inboundForm = "--xYz\r\nContent-Disposition: form-data; name=\"headers\"\r\n\r\nFrom: a@example.com\r\nSubject: order\r\n\r\n" +
	"--xYz\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nFrom: a@example.com\r\nTo: b@example.com\r\nSubject: order\r\n\r\nHello\r\n" +
	"--xYz\r\nContent-Disposition: form-data; name=\"attachment1\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xYz--\r\n"

// TestEveryProviderIsProbed has, of every provider, what asks whether somebody is there, and mail that came in where events are expected. Who
// only looks gets 200 and nothing else; what is not authentic becomes nothing; what is, becomes an event or a dead letter.
func TestEveryProviderIsProbed(t *testing.T) {
	t.Parallel()
	for _, vendor := range simulate.Vendors() {
		t.Run(vendor.Type, func(t *testing.T) {
			t.Parallel()
			e, authenticates := vendorEndpoint(t, &vendor)
			f := newFront(t, e)
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				for _, path := range []string{e.Path, e.Path + "/" + probeToken} {
					w := httptest.NewRecorder()
					if f.handler.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody)); w.Code != http.StatusOK || w.Body.Len() > 0 {
						t.Errorf("%s %s: %d %q", method, path, w.Code, w.Body)
					}
				}
			}
			for what, c := range map[string]struct{ contentType, body string }{
				"nothing":         {"", ""},
				"an empty form":   {"application/x-www-form-urlencoded", ""},
				"an object":       {"application/json", "{}"},
				"a list":          {"application/json", "[]"},
				"a form":          {"application/x-www-form-urlencoded", "recipient=b%40example.com&body-plain=Hello&sender=a%40example.com"},
				"a multipart":     {"multipart/form-data; boundary=xYz", inboundForm},
				"a mail":          {"message/rfc822", "From: a@example.com\r\nTo: b@example.com\r\n\r\nHello\r\n"},
				"half a JSON":     {"application/json", `{"event": "`},
				"a page":          {"text/html", "<html></html>"},
				"a NUL":           {"application/json", "\x00"},
				"no Content-Type": {"", "a=b"},
			} {
				probe := func(path string) answer {
					r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(c.body))
					if c.contentType != "" {
						r.Header.Set("Content-Type", c.contentType)
					}
					w := httptest.NewRecorder()
					f.handler.ServeHTTP(w, r)
					return answer{status: w.Code, body: w.Body.String()}
				}
				if a := probe(e.Path); a.status != http.StatusUnauthorized {
					t.Errorf("%s, without the token: %d %s", what, a.status, a.body)
				}
				want := http.StatusOK
				if authenticates {
					want = http.StatusUnauthorized
				}
				if a := probe(e.Path + "/" + probeToken); a.status != want {
					t.Errorf("%s: %d %s, want %d", what, a.status, a.body, want)
				}
			}
			if got := len(f.owed("crm")) + len(f.deadLetters()); authenticates == (got > 0) {
				t.Errorf("%d events and dead letters; it authenticates: %t", got, authenticates)
			}
		})
	}
}

// TestGraphIsSetUp goes through the validation of a subscription to Microsoft Graph, and what comes after it.
func TestGraphIsSetUp(t *testing.T) {
	t.Parallel()
	vendor, _ := simulate.Lookup("MicrosoftGraph")
	e, _ := vendorEndpoint(t, &vendor)
	f := newFront(t, e)
	at := e.Path + "/" + probeToken
	for query, want := range map[string]struct {
		status int
		body   string
	}{
		"?validationToken=Validation%3A+Testing+client+%3Cb%3E": {200, "Validation: Testing client <b>"},
		"?validationToken=a&validationToken=b":                  {400, ""},
		"?validationToken=a%0D%0AX-Forged%3A+b":                 {400, ""},
		"?validationToken=":                                     {400, ""},
		"?validationToken=" + strings.Repeat("a", 3000):         {400, ""},
		"":                   {401, ""},
		"?ValidationToken=a": {401, ""},
	} {
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, at+query, http.NoBody))
		if w.Code != want.status || want.body != "" && w.Body.String() != want.body {
			t.Errorf("%s: %d %q", query, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); want.status == 200 && !strings.HasPrefix(got, "text/plain") || w.Header().Get("X-Forged") != "" {
			t.Errorf("%s: Content-Type %q", query, got)
		}
	}
	if a := f.do(httptest.NewRequest(http.MethodPost, e.Path+"?validationToken=a", http.NoBody)); a.status != 401 {
		t.Errorf("without the token of the path: %d", a.status)
	}
	r := sample(t, "MicrosoftGraph", "created", at+"?validationToken=a")
	if a := f.do(r); a.status != 200 || a.Accepted != 1 {
		t.Errorf("notifications, behind a URL that looks like a validation: %d %s", a.status, a.body)
	}
	if a := f.do(sample(t, "MicrosoftGraph", "batch", at)); a.status != 200 || a.Refused != 1 || a.Accepted == 0 {
		t.Errorf("with one of somebody else: %d %s", a.status, a.body)
	}
	forged := strings.NewReader(`{"value": [{"changeType": "created", "clientState": "forged", "subscriptionId": "s"}]}`)
	if a := f.do(httptest.NewRequest(http.MethodPost, at, forged)); a.status != 401 {
		t.Errorf("of somebody else: %d %s", a.status, a.body)
	}
}

// TestMailerSendIsSetUp goes through what MailerSend does while somebody saves a webhook, whose secret nobody knows yet.
func TestMailerSendIsSetUp(t *testing.T) {
	t.Parallel()
	vendor, _ := simulate.Lookup("MailerSend")
	e, _ := vendorEndpoint(t, &vendor)
	f := newFront(t, e)
	at := e.Path + "/" + probeToken
	// What MailerSend's page gives to everybody signs the ping.
	ping := func(name string) answer {
		r := sample(t, "MailerSend", name, at)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		p := &provider.Request{Header: r.Header.Clone(), Body: body}
		if err := vendor.Sign([]byte(`{"signingSecrets": ["test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"]}`), nil, p); err != nil {
			t.Fatal(err)
		}
		again := httptest.NewRequest(http.MethodPost, at, bytes.NewReader(body))
		again.Header = p.Header
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, again)
		return answer{status: w.Code, body: w.Body.String()}
	}
	if a := ping("test"); a.status != 200 || a.body != "" {
		t.Errorf("the ping: %d %q", a.status, a.body)
	}
	if a := ping("hard-bounced"); a.status != 401 {
		t.Errorf("an event that is signed with the secret that everybody knows: %d %s", a.status, a.body)
	}
	if got := len(f.owed("crm")) + len(f.deadLetters()); got != 0 {
		t.Errorf("%d events before there was one", got)
	}
	if a := f.do(sample(t, "MailerSend", "hard-bounced", at)); a.status != 200 || a.Accepted != 1 {
		t.Errorf("an event: %d %s", a.status, a.body)
	}
}

// TestPubSubAcknowledges has what Pub/Sub takes for an acknowledgement, 102, 200, 201, 202 and 204, and sends again after anything else: what
// is stored, as an event or as a dead letter, must not come again for seven days, and what is not must.
func TestPubSubAcknowledges(t *testing.T) {
	t.Parallel()
	vendor, _ := simulate.Lookup("GmailPubSub")
	e, _ := vendorEndpoint(t, &vendor)
	f := newFront(t, e)
	at := e.Path + "/" + probeToken
	post := func(path, body string) answer {
		return f.do(httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	}
	if a := f.do(sample(t, "GmailPubSub", "changed", at)); a.status != 200 || a.Accepted != 1 {
		t.Errorf("stored: %d %s", a.status, a.body)
	}
	if a := f.do(sample(t, "GmailPubSub", "changed", at)); a.status != 200 || a.Duplicates != 1 {
		t.Errorf("sent again: %d %s", a.status, a.body)
	}
	if a := post(at, `{"message": {"data": "***"}}`); a.status != 200 || a.DeadLettered != 1 {
		t.Errorf("kept as a dead letter: %d %s", a.status, a.body)
	}
	if a := post(e.Path, `{"message": {"data": "e30="}}`); a.status != 401 || a.Accepted != 0 {
		t.Errorf("refused, to be sent again: %d %s", a.status, a.body)
	}
	f = newFrontWith(t, intake.Options{Journal: refusing{journal.ErrFull}}, e)
	if a := post(at, `{"message": {"data": "e30=", "messageId": "9"}}`); a.status != 503 {
		t.Errorf("not stored, to be sent again: %d %s", a.status, a.body)
	}
}
