package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/internal/console"
	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

func now() time.Time { return time.Date(2026, time.January, 2, 12, 0, 0, 0, time.UTC) }

// hostile is what a provider can write into any text.
const hostile = "<script>document.title='x'</script>\"'><img src=x onerror=alert(1)>\u202e\x1b[2J{{.}}"

// receiver answers as the admin API does, with what a test sets. The pages' own tests are of what they show; that the API answers so is the business of
// its tests, and "mailvane run" is opened in TestDemo.
type receiver struct {
	mu        sync.Mutex
	endpoints []admin.Endpoint
	sinks     []admin.Sink
	letters   []admin.DeadLetter
	events    []admin.HistoryEvent
	refusals  []history.Refusal
	off       bool
	acted     []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	say := func(v any) {
		if err := json.MarshalWrite(w, v); err != nil {
			panic(err)
		}
	}
	switch q.URL.Path {
	case admin.PathEndpoints:
		say(r.endpoints)
	case admin.PathSinks:
		say(r.sinks)
	case admin.PathJournal:
		say(admin.Journal{})
	case admin.PathDeadLetters:
		after, _ := strconv.Atoi(q.URL.Query().Get("after"))
		say(r.letters[min(after, len(r.letters)):min(after+admin.PageSize, len(r.letters))])
	case admin.PathRetry, admin.PathDrop:
		var ids admin.IDs
		if err := json.UnmarshalRead(q.Body, &ids); err != nil {
			panic(err)
		}
		r.acted = append(r.acted, q.URL.Path+" "+strconv.Itoa(len(ids.IDs)))
		r.letters = nil
		say(admin.Result{Done: len(ids.IDs)})
	case admin.PathRefusals:
		say(r.refusals)
	case admin.PathHistory:
		r.search(w, q.URL.Query(), say)
	default:
		http.NotFound(w, q)
	}
}

// search knows what the pages ask: an id, a message, a type, and pages by a number.
func (r *receiver) search(w http.ResponseWriter, query url.Values, say func(any)) {
	if r.off {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	found := []admin.HistoryEvent{}
	for _, e := range r.events {
		if (query.Get("id") == "" || query.Get("id") == e.ID) && (query.Get("message") == "" || query.Get("message") == e.MessageID) && (query.Get("type") == "" || query.Get("type") == e.Type) {
			found = append(found, e)
		}
	}
	from, _ := strconv.Atoi(query.Get("cursor"))
	limit, _ := strconv.Atoi(query.Get("limit"))
	page := admin.HistoryPage{Events: found[min(from, len(found)):min(from+limit, len(found))]}
	if query.Get("forward") == "true" {
		page.Events, page.Next = nil, "0"
	} else if from+limit < len(found) {
		page.Next = strconv.Itoa(from + limit)
	}
	say(page)
}

// filled is a receiver at which everything has happened.
func filled() *receiver {
	at := now().Add(-time.Hour)
	mail := func(id, kind, event string, minute int, state string) admin.HistoryEvent {
		return admin.HistoryEvent{
			ID: id, Type: kind, Endpoint: "mail/sendgrid", Provider: "SendGrid", ProviderEvent: event, AcceptedAt: at.Add(time.Duration(minute) * time.Minute), Time: at.Add(time.Duration(minute) * time.Minute),
			State: state, Recipient: "ada@example.com", MessageID: "20260102.1@shop.example.com", Sinks: []string{"mail/crm"},
			Attempts: []admin.Attempt{{Sink: "mail/crm", Time: at.Add(time.Duration(minute) * time.Minute), Milliseconds: 12, Outcome: "Delivered"}}, Payload: `{"specversion":"1.0","id":"` + id + `"}`,
		}
	}
	odd := mail("odd", "email.bounced", hostile, 20, "DeadLetter")
	odd.Recipient, odd.Reason, odd.MessageID, odd.Subject, odd.SMTPCode, odd.EnhancedCode = hostile, hostile+strings.Repeat("x", 5000), "\x00?&#%/ü"+hostile, hostile, 550, "5.1.1"
	odd.Attempts = []admin.Attempt{{Sink: "mail/crm", Time: at, Outcome: "Failed", Answer: hostile}, {Sink: "mail/crm", Time: at, Outcome: "DeadLetter", Answer: "410 Gone"}}
	odd.Payload = `{"raw":"` + strings.Repeat("<b>", 100) + `"}`
	events := []admin.HistoryEvent{odd, mail("e4", "email.clicked", "click", 9, "Waiting"), mail("e3", "email.opened", "open", 5, "Delivered"), mail("e2", "email.delivered", "delivered", 2, "Delivered"), mail("e1", "email.accepted", "processed", 1, "Unrouted")}
	r := &receiver{
		events: events,
		sinks: []admin.Sink{
			{Name: "mail/crm", Type: "HTTP", Pending: 3412, OldestSeconds: 7300, LastError: "503 Service Unavailable: " + hostile, LastErrorTime: now().Add(-time.Minute)},
			{Name: "mail/warehouse", Type: "PostgreSQL", Healthy: true},
		},
		refusals: []history.Refusal{{At: at, Endpoint: "mail/sendgrid", Reason: "signature_mismatch", Address: "192.0.2.7", Headers: []string{"Content-Type", "X-Twilio-Email-Event-Webhook-Signature"}, Size: 1234, More: 3}},
	}
	e := admin.Endpoint{}
	e.Name, e.Provider, e.Path, e.Verification, e.State, e.Routes = "mail/sendgrid", "SendGrid", "/hooks/mail/sendgrid", "Shadow", "Active", []string{"mail/crm", "mail/warehouse"}
	e.Accepted, e.Duplicates, e.Refused = 123456, 12, 4
	r.endpoints = []admin.Endpoint{e}
	for n := range 1200 {
		r.letters = append(r.letters, admin.DeadLetter{ID: uint64(n + 1), Cause: "Refused", Sink: "mail/crm", Reason: "410 Gone", EventID: "e1", Time: at})
	}
	r.letters = append(r.letters, admin.DeadLetter{ID: 1201, Cause: "Undecodable", Endpoint: "mail/sendgrid", Reason: hostile, Time: at})
	return r
}

// serve serves a console of receivers.
func serve(t *testing.T, receivers ...http.Handler) (s *httptest.Server, link string) {
	t.Helper()
	var all []*inspect.Receiver
	for n, h := range receivers {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		all = append(all, &inspect.Receiver{Name: "mail/pod-" + strconv.Itoa(n), Client: &admin.Client{BaseURL: server.URL, HTTP: server.Client()}})
	}
	c, err := console.New(console.Options{Receivers: func(context.Context) ([]*inspect.Receiver, error) { return all, nil }, Where: "mail", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s = httptest.NewServer(c)
	t.Cleanup(s.Close)
	return s, c.Link()
}

// visitor is a browser without scripts that has opened the link.
type visitor struct {
	t      *testing.T
	client *http.Client
	base   string
}

func visit(t *testing.T, s *httptest.Server, link string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t, &http.Client{Jar: jar}, s.URL}
	if status, text := v.get(link); status != http.StatusOK {
		t.Fatal(status, text)
	}
	return v
}

func (v *visitor) get(path string) (int, string) {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", nil)
}

func (v *visitor) do(method, path, body string, header map[string]string) (int, string) {
	v.t.Helper()
	q, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		q.Header.Set(name, value)
		if name == "Host" {
			q.Host = value
		}
	}
	response, err := v.client.Do(q)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// pages are all of them, each with something that it must say.
func pages() map[string]string {
	return map[string]string{
		"/": "The sink mail/crm fails", "/events": "ada@example.com", "/events?type=email.opened": "Clear filters", "/event?id=e2": "owed to", "/event?id=odd": "550 5.1.1",
		"/event?id=none": "No history has this event", "/message?message=20260102.1%40shop.example.com": "opened", "/message?message=none": "Nothing is known of it", "/message": "Name a message",
		"/refused": "signature_mismatch", "/deadletters": "410 Gone", "/events?type=email.sent": "No event matches", "/nowhere": "no such page",
	}
}

// TestPagesWithoutScripts opens every page as a browser without scripts does: it says what there is, and nothing that a provider wrote is more than text.
func TestPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	s, link := serve(t, filled())
	v := visit(t, s, link)
	for path, want := range pages() {
		_, text := v.get(path)
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", path, want)
		}
		for _, never := range []string{"<script>document", "<img", "\u202e", "\x1b", "<b>", "ZgotmplZ"} {
			if strings.Contains(text, never) {
				t.Errorf("%s has %q", path, never)
			}
		}
	}
}

// TestWhoGetsIn opens a link once, and lets nobody else in.
func TestWhoGetsIn(t *testing.T) {
	t.Parallel()
	s, link := serve(t, filled())
	stranger := &visitor{t, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s.URL}
	for path := range pages() {
		if status, text := stranger.get(path); status != http.StatusUnauthorized || strings.Contains(text, "ada@") {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := stranger.get("/login?token=guess"); status != http.StatusForbidden {
		t.Errorf("a guess: %d", status)
	}
	v := visit(t, s, link)
	if status, text := stranger.get(link); status != http.StatusForbidden || !strings.Contains(text, "opened before") {
		t.Errorf("a link that was opened: %d %s", status, text)
	}
	if status, _ := v.get(link); status != http.StatusOK {
		t.Errorf("whoever is in already: %d", status)
	}
	for name, header := range map[string]map[string]string{
		"another name of this machine": {"Host": "rebound.example.com"}, "another site": {"Origin": "https://evil.example.com"}, "another site's frame": {"Sec-Fetch-Site": "cross-site"},
	} {
		if status, text := v.do(http.MethodGet, "/events", "", header); status != http.StatusForbidden || strings.Contains(text, "ada@") {
			t.Errorf("%s: %d", name, status)
		}
	}
	response, err := v.client.Get(s.URL + "/") //nolint:noctx // It is short.
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := response.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q", name, got)
		}
	}
}

var hidden = regexp.MustCompile(`name="(token|action|group)" value="([^"]*)"`)

// TestForms asks before it acts, wants a name typed for many, and takes no form of another page.
func TestForms(t *testing.T) {
	t.Parallel()
	r := filled()
	s, link := serve(t, r)
	v := visit(t, s, link)
	_, text := v.get("/deadletters")
	links := regexp.MustCompile(`href="(/deadletters\?action=retry[^"]*)"`).FindAllStringSubmatch(text, -1)
	if len(links) != 2 {
		t.Fatal(links)
	}
	_, text = v.get(strings.ReplaceAll(links[0][1], "&amp;", "&"))
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(text, -1) {
		form.Set(m[1], m[2])
	}
	if !strings.Contains(text, "1200 dead letters") || !strings.Contains(text, "Type mail/crm") || form.Get("token") == "" {
		t.Fatal(text)
	}
	foreign := cloned(form)
	foreign.Set("token", "guess")
	if status, _ := v.do(http.MethodPost, "/deadletters", foreign.Encode(), nil); status != http.StatusForbidden {
		t.Errorf("a form of another page: %d", status)
	}
	if _, text := v.do(http.MethodPost, "/deadletters", form.Encode(), nil); !strings.Contains(text, "type mail/crm to confirm") || len(r.acted) != 0 {
		t.Errorf("without the name: %v %s", r.acted, text)
	}
	form.Set("name", "mail/crm")
	if _, text := v.do(http.MethodPost, "/deadletters", form.Encode(), nil); !strings.Contains(text, "1200 are delivered again") || len(r.acted) != 2 || r.acted[0] != "/v1/deadletters/retry 1000" {
		t.Errorf("%v %s", r.acted, text)
	}
	if _, text := v.do(http.MethodPost, "/deadletters", form.Encode(), nil); !strings.Contains(text, "they are there no more") {
		t.Errorf("once more: %s", text)
	}
}

func cloned(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		out[name] = append([]string(nil), values...)
	}
	return out
}

// TestStates draws apart what is not there: nothing yet, no history, and a pod that does not answer.
func TestStates(t *testing.T) {
	t.Parallel()
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "on fire", http.StatusServiceUnavailable) })
	for name, tc := range map[string]struct {
		receivers []http.Handler
		path, say string
	}{
		"nothing yet":      {[]http.Handler{&receiver{}}, "/", "Nothing has come yet"},
		"no events yet":    {[]http.Handler{&receiver{}}, "/events", "Nothing has come yet"},
		"no dead letters":  {[]http.Handler{&receiver{}}, "/deadletters", "There are no dead letters"},
		"nothing refused":  {[]http.Handler{&receiver{}}, "/refused", "No request was refused"},
		"no history":       {[]http.Handler{&receiver{off: true}}, "/events", "There is no history here"},
		"one is on fire":   {[]http.Handler{filled(), broken}, "/events", "mail/pod-1: on fire"},
		"and the others":   {[]http.Handler{filled(), broken}, "/events", "ada@example.com"},
		"a position":       {[]http.Handler{filled()}, "/events?at=zz", "position cannot be read"},
		"nothing fails":    {[]http.Handler{&receiver{endpoints: filled().endpoints}}, "/", "Nothing is failing"},
		"masked":           {[]http.Handler{&receiver{events: []admin.HistoryEvent{{ID: "m", Type: "email.sent", Recipient: "a***@example.com", Masked: true}}}}, "/event?id=m", "takes the right"},
		"nobody to search": {[]http.Handler{&receiver{events: []admin.HistoryEvent{{ID: "m", Type: "email.sent", Recipient: "a***@example.com", Masked: true}}}}, "/events", "a***@example.com"},
	} {
		s, link := serve(t, tc.receivers...)
		v := visit(t, s, link)
		if _, text := v.get(tc.path); !strings.Contains(text, tc.say) {
			t.Errorf("%s: %s does not say %q", name, tc.path, tc.say)
		}
	}
}

// TestPaging goes through all events of two pods, page by page, each once, also when others come meanwhile.
func TestPaging(t *testing.T) {
	t.Parallel()
	one, two := &receiver{}, &receiver{}
	for n := range 250 {
		r := one
		if n%3 == 0 {
			r = two
		}
		r.events = append(r.events, admin.HistoryEvent{ID: "id" + strconv.Itoa(n), Type: "email.sent", AcceptedAt: now().Add(-time.Duration(n) * time.Second)})
	}
	s, link := serve(t, one, two)
	v := visit(t, s, link)
	seen := map[string]int{}
	for path, pagesSeen := "/events", 0; path != ""; pagesSeen++ {
		_, text := v.get(path)
		for _, m := range regexp.MustCompile(`/event\?id=(id\d+)"`).FindAllStringSubmatch(text, -1) {
			seen[m[1]]++
		}
		next := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(text)
		if path = ""; next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
		if pagesSeen > 10 {
			t.Fatal("there is no end")
		}
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s is on %d pages", id, times)
		}
	}
	if len(seen) != 250 {
		t.Errorf("%d events", len(seen))
	}
}

// TestInChromium opens every page in a real browser: it is legible in both schemes and on a telephone, everything has a name, and nothing that a
// provider wrote runs.
func TestInChromium(t *testing.T) {
	t.Parallel()
	s, link := serve(t, filled())
	ctx := opened(t, s, link)
	for name, path := range map[string]string{
		"overview": "/", "events": "/events", "event": "/event?id=e2", "event-odd": "/event?id=odd", "message": "/message?message=20260102.1%40shop.example.com", "refused": "/refused", "deadletters": "/deadletters",
	} {
		act(t, ctx, chromedp.Navigate(s.URL+path), chromedp.WaitVisible("h1"))
		accessible(t, ctx, name)
		shoot(t, ctx, name)
		title := get(t, ctx, chromedp.Title())
		if !strings.HasSuffix(title, " · Mailvane") {
			t.Errorf("%s: the title is %q", name, title)
		}
	}
}

// TestKeys moves about by keys alone.
func TestKeys(t *testing.T) {
	t.Parallel()
	s, link := serve(t, filled())
	ctx := opened(t, s, link)
	act(t, ctx, chromedp.KeyEvent("g"), chromedp.KeyEvent("e"), chromedp.WaitVisible("table.rows"),
		chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"))
	at := get(t, ctx, chromedp.Text("tr.at"))
	act(t, ctx, chromedp.KeyEvent("/"))
	focused := get(t, ctx, chromedp.Evaluate[string]("document.activeElement.id"))
	act(t, ctx, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".story"))
	where := get(t, ctx, chromedp.Location())
	if !strings.Contains(at, "clicked") || focused != "find" || !strings.HasSuffix(where, "/event?id=e4") {
		t.Errorf("%q, %q, %q", at, focused, where)
	}
}
