package httpsink

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	testToken  = "token-of-the-destination"
)

// destination is a server that notes what it gets.
type destination struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   [][]byte
	handle   http.HandlerFunc
	conns    atomic.Int64
}

func newDestination(t *testing.T) *destination {
	t.Helper()
	d := &destination{}
	d.Server = httptest.NewUnstartedServer(http.HandlerFunc(d.serve))
	d.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			d.conns.Add(1)
		}
	}
	d.Start()
	t.Cleanup(d.Close)
	return d
}

func (d *destination) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	handle := d.handle
	d.requests, d.bodies = append(d.requests, r), append(d.bodies, body)
	d.mu.Unlock()
	if handle != nil {
		handle(w, r)
	}
}

func (d *destination) answer(handle http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handle = handle
}

// ids returns the ids of what arrived.
func (d *destination) ids(t *testing.T) []string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for i, body := range d.bodies {
		var events []struct {
			ID string `json:"id"`
		}
		if d.requests[i].Header.Get("Content-Type") != batchedType {
			body = []byte("[" + string(body) + "]")
		}
		if err := json.Unmarshal(body, &events); err != nil {
			t.Errorf("body %q: %v", body, err)
		}
		for _, e := range events {
			list = append(list, e.ID)
		}
	}
	return list
}

// The content modes, as texts.
const (
	modeStructured = string(settings.ContentModeStructured)
	modeBinary     = string(settings.ContentModeBinary)
	modeBatched    = string(settings.ContentModeBatched)
)

func settingsFor(url, mode string) string {
	return fmt.Sprintf(`{"url":%q,"contentMode":%q,"signingSecrets":[%q],"headers":[{"name":"Authorization","secret":"Bearer %s"},{"name":"X-Team","value":"mail"}]}`,
		url, mode, testSecret, testToken)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{modeStructured, modeBinary, modeBatched} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			sinktest.Run(t, func(t *testing.T) sinktest.Harness {
				d := newDestination(t)
				stalled := make(chan struct{})
				t.Cleanup(func() { close(stalled) })
				address := strings.Replace(d.URL, "http://", "http://user:password-in-url@", 1) + "/events?key=key-in-query"
				return sinktest.Harness{
					Kind: Kind(), Settings: settingsFor(address, mode), Received: d.ids,
					Break: func(*testing.T) {
						d.answer(func(w http.ResponseWriter, r *http.Request) { // a destination that echoes what it got
							w.WriteHeader(http.StatusBadGateway)
							fmt.Fprintln(w, r.URL, r.Header, testSecret)
						})
					},
					Mend:    func(*testing.T) { d.answer(nil) },
					Fail:    d.failures(),
					Bound:   d.bound,
					Batches: d.batches,
					Stall:   func(*testing.T) { d.answer(func(http.ResponseWriter, *http.Request) { <-stalled }) },
					Secrets: []string{testToken, strings.TrimPrefix(testSecret, "whsec_"), "password-in-url", "key-in-query"},
				}
			})
		})
	}
}

// failures are the ways in which the destination can fail.
func (d *destination) failures() map[sinktest.Class]func(*testing.T) {
	status := func(code int) func(*testing.T) {
		return func(*testing.T) {
			d.answer(func(w http.ResponseWriter, _ *http.Request) {
				if code == http.StatusTooManyRequests {
					w.Header().Set("Retry-After", "7")
				}
				w.WriteHeader(code)
			})
		}
	}
	return map[sinktest.Class]func(*testing.T){
		sinktest.Permanent: status(http.StatusUnprocessableEntity), sinktest.Throttled: status(http.StatusTooManyRequests),
		sinktest.Transient: status(http.StatusInternalServerError), sinktest.BadCredential: status(http.StatusUnauthorized),
		sinktest.NoDestination: status(http.StatusNotFound), sinktest.Unreachable: func(*testing.T) { d.Close() },
	}
}

// bound has the destination refuse large requests.
func (d *destination) bound(_ *testing.T, bytes int) {
	d.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > int64(bytes) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})
}

// batches returns the ids of the requests.
func (d *destination) batches(*testing.T) (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.requests {
		ids = append(ids, r.Header.Get("Webhook-Id"))
	}
	return ids
}

// TestATokenInTheURLIsNotTold has a destination echo what it got for a user without a password.
func TestATokenInTheURLIsNotTold(t *testing.T) {
	t.Parallel()
	d := newDestination(t)
	d.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintln(w, "no access for token-in-url, Basic dG9rZW4taW4tdXJsOg==")
	})
	err := send(t, strings.Replace(d.URL, "http://", "http://token-in-url@", 1), modeStructured, sinktest.Message(0))
	if err == nil || !strings.Contains(err.Error(), "no access for ***, Basic ***") {
		t.Errorf("Send = %v", err)
	}
}

func TestUserAndPasswordOfTheURLAreSent(t *testing.T) {
	t.Parallel()
	d := newDestination(t)
	s, err := newSink(fmt.Appendf(nil, `{"url":%q}`, strings.Replace(d.URL, "http://", "http://user:p%40ss@", 1)), sink.Environment{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it returns nil
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); err != nil {
		t.Fatal(err)
	}
	if user, password, _ := d.requests[0].BasicAuth(); user != "user" || password != "p@ss" {
		t.Errorf("user %q and password %q arrive", user, password)
	}
}

// TestAttributesFitIntoHeaders has attributes of every size in binary mode, for a destination with the bounds of many: 16 KiB of
// headers.
func TestAttributesFitIntoHeaders(t *testing.T) {
	t.Parallel()
	wide := func(n int) string { return strings.Repeat("名", n) } // nine bytes each in a header
	for name, tc := range map[string]struct {
		reason, attributes, id string
		want                   map[string]bool
		permanent              bool
	}{
		"all fit":           {"they are short", `"subject":"a@example.com","partitionkey":"k","providerevent":"e"`, "1", map[string]bool{"Subject": true, "Partitionkey": true, "Providerevent": true}, false},
		"a wide name":       {"an optional attribute is left out", `"subject":"a@example.com","providerevent":"` + wide(3000) + `"`, "1", map[string]bool{"Subject": true, "Providerevent": false}, false},
		"a long key":        {"an optional attribute is left out", `"partitionkey":"` + strings.Repeat("k", 200_000) + `","providerevent":"e"`, "1", map[string]bool{"Partitionkey": false, "Providerevent": true}, false},
		"the largest":       {"227 times nine is just below the bound", `"subject":"` + wide(227) + `"`, "1", map[string]bool{"Subject": true}, false},
		"one more":          {"228 times nine is above", `"subject":"` + wide(228) + `"`, "1", map[string]bool{"Subject": false}, false},
		"many":              {"all together are bounded as well", `"subject":"` + wide(227) + `","partitionkey":"` + wide(227) + `","providerevent":"` + wide(227) + `","deadletterreason":"r"`, "1", map[string]bool{"Subject": true, "Partitionkey": true, "Providerevent": false, "Deadletterreason": true}, false},
		"a required one":    {"an event without it is none", `"subject":"a"`, strings.Repeat("i", 3000), nil, true},
		"a required one, 2": {"the others leave room for it", `"subject":"` + wide(227) + `"`, strings.Repeat("i", 2000), map[string]bool{"Subject": true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDestination(t)
			envelope := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/mailvane/mail/in","type":"t",%s,"datacontenttype":"application/json","data":{}}`, tc.id, tc.attributes)
			err := send(t, d.URL, modeBinary, sink.Message{Envelope: []byte(envelope)})
			if (err != nil) != tc.permanent || sink.IsPermanent(err) != tc.permanent {
				t.Fatalf("%s: Send = %v", tc.reason, err)
			}
			if tc.permanent {
				return
			}
			for name, want := range tc.want {
				if got := d.requests[0].Header.Get("Ce-"+name) != ""; got != want {
					t.Errorf("%s: %s is sent: %t", tc.reason, name, got)
				}
			}
			if d.requests[0].Header.Get("Ce-Id") != tc.id {
				t.Error("the id is not sent")
			}
		})
	}
}

// send sends one message and returns the error.
func send(t *testing.T, url, mode string, messages ...sink.Message) error {
	t.Helper()
	s, err := newSink([]byte(settingsFor(url, mode)), sink.Environment{}, clock)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	defer s.Close() //nolint:errcheck // it returns nil
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Send(ctx, sink.NewBatch(messages))
}

func clock() time.Time { return time.Unix(1614265330, 0).UTC() }

func TestRequests(t *testing.T) {
	t.Parallel()
	spaced := sink.Message{Envelope: []byte(`{"specversion":"1.0","id":"a1","source":"/mailvane/mail/in","type":"t","subject":"Euro € \"x\" 5%","datacontenttype":"application/json","sequence":7,"data":{ "n":1.50, "s":"\/" }}`)}
	first, second := string(sinktest.Message(1).Envelope), string(sinktest.Message(2).Envelope)
	tests := map[string]struct {
		reason   string
		mode     string
		messages []sink.Message
		body     string
		header   http.Header
	}{
		"structured": {
			reason: "the envelope is sent as it is", mode: modeStructured, messages: []sink.Message{sinktest.Message(1)},
			body: first, header: http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}, "Webhook-Id": {sinktest.ID(1)}},
		},
		"batched": {
			reason: "the envelopes are joined as they are", mode: modeBatched, messages: sinktest.Messages(1, 2),
			body: "[" + first + "," + second + "]",
			header: http.Header{
				"Content-Type": {"application/cloudevents-batch+json; charset=utf-8"}, "Webhook-Id": {"a18f9b9f3deb449764f05b301f38f806"},
			},
		},
		"binary": {
			reason: "the data is verbatim and the attributes are percent-encoded headers", mode: modeBinary, messages: []sink.Message{spaced},
			body: `{ "n":1.50, "s":"\/" }`,
			header: http.Header{
				"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Id": {"a1"}, "Ce-Source": {"/mailvane/mail/in"},
				"Ce-Type": {"t"}, "Ce-Subject": {"Euro%20%E2%82%AC%20%22x%22%205%25"}, "Ce-Sequence": {"7"}, "Webhook-Id": {"a1"},
				"Ce-Datacontenttype": nil,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDestination(t)
			if err := send(t, d.URL, test.mode, test.messages...); err != nil {
				t.Fatalf("Send: %v", err)
			}
			if diff := cmp.Diff(test.body, string(d.bodies[0])); diff != "" {
				t.Errorf("%s: %s", test.reason, diff)
			}
			r := d.requests[0]
			for name, want := range test.header {
				if diff := cmp.Diff(want, r.Header[name]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+testToken || r.Header.Get("X-Team") != "mail" {
				t.Errorf("%s with headers %v", r.Method, r.Header)
			}
			want := http.Header{}
			sign(want, [][]byte{mustDecode(t, testSecret)}, r.Header.Get("Webhook-Id"), clock(), single(d.bodies[0]))
			if got := r.Header.Get("Webhook-Signature"); got != want.Get("Webhook-Signature") {
				t.Errorf("signature %q does not fit the body", got)
			}
		})
	}
}

func mustDecode(t *testing.T, secret string) []byte {
	t.Helper()
	parsed, err := settings.Parse(fmt.Appendf(nil, `{"url":"http://example.com","signingSecrets":[%q]}`, secret), common.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Keys[0]
}

// TestSignature checks the example of the Standard Webhooks reference libraries.
func TestSignature(t *testing.T) {
	t.Parallel()
	const first = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	h := http.Header{}
	key := mustDecode(t, testSecret)
	sign(h, [][]byte{key, []byte("new key")}, "msg_p5jXN8AQM9LWM0D4loKWxJek", clock(), single([]byte(`{"test": 2432232314}`)))
	signatures := strings.Split(h.Get("Webhook-Signature"), " ")
	if len(signatures) != 2 || signatures[0] != first || signatures[1] == first {
		t.Errorf("signatures = %q, want %q and another", signatures, first)
	}
	if h.Get("Webhook-Timestamp") != "1614265330" {
		t.Errorf("timestamp = %q", h.Get("Webhook-Timestamp"))
	}
}

func TestMaxBatch(t *testing.T) {
	t.Parallel()
	for mode, single := range map[string]bool{modeStructured: true, modeBinary: true, modeBatched: false} {
		s, err := newSink([]byte(settingsFor("http://example.com", mode)), sink.Environment{}, clock)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.MaxBatch(); (got == 1) != single {
			t.Errorf("%s: MaxBatch = %d", mode, got)
		}
	}
}

func TestMalformedMessageIsPermanent(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{modeStructured, modeBinary, modeBatched} {
		err := send(t, "http://192.0.2.1", mode, sink.Message{Envelope: []byte(`{"id":`)})
		if !sink.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", mode, err)
		}
	}
}
