// Package registrationtest checks what the APIs of providers must do for registrations, against stand-ins.
package registrationtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// The URLs of the suite. What is after the path is a token.
const (
	URL     = "https://hooks.example.com/hooks/mail/a/0123456789abcdef0123"
	OldURL  = "https://hooks.example.com/hooks/mail/a/fedcba9876543210fedc"
	Foreign = "https://other.example.com/hooks?token=LEAK-foreign-9c3e7d"
)

// Case is what the suite is told of a provider.
type Case struct {
	// Vendor is what is checked.
	Vendor registration.Vendor
	// New returns an account that has nothing.
	New func() standin.Provider
	// Single says that an account has room for one webhook.
	Single bool
	// Events are two of the provider's own names, where there is a choice.
	Events []string
	// OtherEvents are as many others.
	OtherEvents []string
	// TellsKey says that the API tells the key.
	TellsKey bool
	// Basic and Header say that the webhook is told a user name and a password in fields, and a header.
	Basic, Header bool
	// Reads are requests that are no GET and only read, such as "POST /webhooks/list".
	Reads []string
}

// Run checks a provider's API.
func Run(t *testing.T, c *Case) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, *Case){
		"is made, and then left alone":         checkMade,
		"is back after somebody removed it":    checkBack,
		"moves with its URL":                   checkMoves,
		"other events are mended":              checkEvents,
		"somebody else's is left alone":        checkForeign,
		"is enabled again":                     checkDisabled,
		"what requests show is told":           checkCredentials,
		"the key is taken":                     checkKey,
		"is removed":                           checkRemoved,
		"failures are told apart":              checkFailures,
		"an answer that is none of the API's":  checkHTML,
		"an API that hangs":                    checkHang,
		"an API that forgets":                  checkForgets,
		"another key":                          checkUnauthorized,
		"no failure changes what others have":  checkFailuresKeepOthers,
		"two endpoints at one account":         checkTwo,
		"a redirect is not followed":           checkRedirect,
		"nothing that was said holds a secret": checkSilence,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, c)
		})
	}
}

// account is one of a test, and what the manager would remember.
type account struct {
	*standin.StandIn
	provider standin.Provider

	t       *testing.T
	c       *Case
	keeper  registration.Keeper
	known   registration.Known
	restore [][]string // what was to be remembered, one after the other
}

func newAccount(t *testing.T, c *Case) *account {
	t.Helper()
	provider := c.New()
	a := &account{StandIn: provider.Server(), provider: provider, t: t, c: c}
	a.known.NeedsKey = c.TellsKey
	a.keeper = registration.Keeper{API: Open(t, &c.Vendor, a.StandIn, standin.APIKey), Remember: func(_ context.Context, urls []string) error {
		a.restore = append(a.restore, urls)
		a.known.Restore = urls
		return nil
	}}
	return a
}

func (c *Case) wanted() registration.Wanted {
	w := registration.Wanted{Name: "mailvane mail/a", URL: URL, Events: c.Events}
	if len(w.Events) == 0 {
		w.Events = c.Vendor.Events
	}
	if c.Basic {
		w.Username, w.Password = "somebody", "LEAK-password-77aa"
	}
	if c.Header {
		w.Header, w.HeaderValue = "X-Key", "LEAK-header-88bb"
	}
	if c.Vendor.SetsKey {
		w.Key = "LEAK-own-key-99cc"
	}
	return w
}

// ensure keeps the webhook and remembers it as the manager does.
func (a *account) ensure(w registration.Wanted) (registration.Outcome, error) {
	if !slices.Contains(a.known.URLs, w.URL) {
		a.known.URLs = append(a.known.URLs, w.URL)
	}
	out, err := a.keeper.Ensure(a.t.Context(), w, &a.known)
	if err == nil {
		a.known.Stale = false
		a.known.HasKey = a.known.HasKey || out.Key != ""
	}
	return out, err
}

func (a *account) mustEnsure(w registration.Wanted) registration.Outcome {
	a.t.Helper()
	out, err := a.ensure(w)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *account) hooks() (hooks []standin.Hook) {
	a.Locked(func() { hooks = a.provider.Hooks() })
	return hooks
}

func (a *account) put(h standin.Hook) {
	a.Locked(func() { a.provider.Put(h) })
}

// urls returns those of the account's webhooks, sorted.
func (a *account) urls() []string {
	var urls []string
	for _, h := range a.hooks() {
		urls = append(urls, h.URL)
	}
	slices.Sort(urls)
	return urls
}

func (a *account) wantURLs(want ...string) {
	a.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, a.urls()); diff != "" {
		a.t.Errorf("webhooks (-want +got):\n%s", diff)
	}
}

// hook returns the webhook with a URL.
func (a *account) hook(url string) standin.Hook {
	a.t.Helper()
	for _, h := range a.hooks() {
		if h.URL == url {
			return h
		}
	}
	a.t.Fatalf("there is no webhook with the URL %s", url)
	return standin.Hook{}
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func checkMade(t *testing.T, c *Case) {
	a := newAccount(t, c)
	out := a.mustEnsure(c.wanted())
	if !out.Changed || out.Webhook.URL != URL {
		t.Errorf("got %+v", out)
	}
	a.wantURLs(URL)
	if got := a.hook(URL).Events; c.Vendor.Events != nil && !slices.Equal(sorted(got), sorted(c.wanted().Events)) {
		t.Errorf("events: got %v, want %v", got, c.wanted().Events)
	}
	a.Requests()
	if out := a.mustEnsure(c.wanted()); out.Changed {
		t.Errorf("the second look changes it: %+v", out)
	}
	if writes := a.Writes(); len(writes) > 0 && !isReading(c, writes) {
		t.Errorf("the second look writes: %v", writes)
	}
}

// isReading reports whether requests that are no GET read all the same: some APIs take everything by POST.
func isReading(c *Case, writes []string) bool {
	return !slices.ContainsFunc(writes, func(w string) bool { return !slices.Contains(c.Reads, w) })
}

func checkBack(t *testing.T, c *Case) {
	a := newAccount(t, c)
	a.mustEnsure(c.wanted())
	if err := a.keeper.Remove(t.Context(), &registration.Known{URLs: []string{URL}}); err != nil {
		t.Fatal(err)
	}
	a.wantURLs()
	if out := a.mustEnsure(c.wanted()); !out.Changed {
		t.Error("it does not say that it has put it back")
	}
	a.wantURLs(URL)
}

func checkMoves(t *testing.T, c *Case) {
	a := newAccount(t, c)
	w := c.wanted()
	w.URL = OldURL
	a.mustEnsure(w)
	a.known.Stale, a.known.MayPurge = true, true
	if out := a.mustEnsure(c.wanted()); out.Left != 0 {
		t.Errorf("left: %d", out.Left)
	}
	a.wantURLs(URL)
}

func checkEvents(t *testing.T, c *Case) {
	if len(c.OtherEvents) == 0 {
		t.Skip("there is nothing to choose")
	}
	a := newAccount(t, c)
	w := c.wanted()
	w.Events = c.OtherEvents
	a.mustEnsure(w)
	// As if somebody had changed them at the provider: what the manager wanted is what it wants.
	if out := a.mustEnsure(c.wanted()); !out.Changed {
		t.Error("other events are no reason to change it")
	}
	if got := a.hook(URL).Events; !slices.Equal(sorted(got), sorted(c.Events)) {
		t.Errorf("events: got %v, want %v", got, c.Events)
	}
	a.wantURLs(URL)
}

func checkForeign(t *testing.T, c *Case) {
	a := newAccount(t, c)
	a.put(standin.Hook{ID: "4711", URL: Foreign, Events: c.wanted().Events})
	before := a.hook(Foreign)
	_, err := a.ensure(c.wanted())
	if c.Single {
		if !registration.IsKind(err, registration.Occupied) || strings.Contains(err.Error(), "LEAK") || !strings.Contains(err.Error(), "other.example.com") {
			t.Errorf("got %v", err)
		}
		a.wantURLs(Foreign)
	} else {
		if err != nil {
			t.Fatal(err)
		}
		a.wantURLs(Foreign, URL)
	}
	if err := a.keeper.Remove(t.Context(), &registration.Known{URLs: []string{URL, OldURL}}); err != nil {
		t.Fatal(err)
	}
	a.wantURLs(Foreign)
	after := a.hook(Foreign)
	after.ID = before.ID // one that was put back has another
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("it was changed (-before +after):\n%s", diff)
	}
}

func checkDisabled(t *testing.T, c *Case) {
	a := newAccount(t, c)
	a.put(standin.Hook{ID: "4711", URL: URL, Events: c.wanted().Events, Disabled: true})
	if !a.hook(URL).Disabled {
		t.Skip("the provider does not disable webhooks")
	}
	a.mustEnsure(c.wanted())
	if a.hook(URL).Disabled {
		t.Error("it is still disabled")
	}
}

func checkCredentials(t *testing.T, c *Case) {
	if !c.Basic && !c.Header {
		t.Skip("the provider sends none but what is in the URL")
	}
	a := newAccount(t, c)
	a.mustEnsure(c.wanted())
	w := c.wanted()
	if c.Basic {
		w.Password = "LEAK-rotated-password"
	}
	if c.Header {
		w.HeaderValue = "LEAK-rotated-header"
	}
	a.known.Stale = true
	a.mustEnsure(w)
	if h := a.hook(URL); h.Username != w.Username || h.Password != w.Password || h.Header != w.Header || h.HeaderValue != w.HeaderValue {
		t.Errorf("got %+v", h)
	}
	a.wantURLs(URL)
}

func checkKey(t *testing.T, c *Case) {
	if !c.TellsKey {
		t.Skip("the API tells no key")
	}
	a := newAccount(t, c)
	if out := a.mustEnsure(c.wanted()); out.Key == "" || out.Key != a.hook(URL).Key {
		t.Errorf("got %q, want %q", out.Key, a.hook(URL).Key)
	}
	b := newAccount(t, c) // where somebody has made it by hand
	b.put(standin.Hook{ID: "4711", URL: URL, Events: c.wanted().Events})
	if out := b.mustEnsure(c.wanted()); out.Key == "" || out.Key != b.hook(URL).Key {
		t.Errorf("of one that was there: got %q, want %q", out.Key, b.hook(URL).Key)
	}
	b.wantURLs(URL)
}

func checkRemoved(t *testing.T, c *Case) {
	a := newAccount(t, c)
	a.mustEnsure(c.wanted())
	for range 2 { // the second time there is nothing to remove
		if err := a.keeper.Remove(t.Context(), &a.known); err != nil {
			t.Fatal(err)
		}
		a.wantURLs()
	}
}

func checkTwo(t *testing.T, c *Case) {
	if c.Single {
		t.Skip("there is room for one")
	}
	a := newAccount(t, c)
	b := &account{StandIn: a.StandIn, provider: a.provider, t: t, c: c, keeper: a.keeper}
	b.known.NeedsKey = c.TellsKey
	other := c.wanted()
	other.URL = "https://hooks.example.com/hooks/mail/b"
	other.Name = "mailvane mail/b"
	for i := range 3 {
		first, second := a.mustEnsure(c.wanted()), b.mustEnsure(other)
		if i > 0 && (first.Changed || second.Changed) {
			t.Fatalf("they change each other's webhook in look %d", i)
		}
	}
	a.wantURLs(URL, other.URL)
}

// failed has an account fail at its next request of a kind, and returns what is said.
func failed(a *account, answer func(w http.ResponseWriter, r *http.Request) bool) *registration.Error {
	a.t.Helper()
	a.Answer(answer)
	_, err := a.ensure(a.c.wanted())
	a.Answer(nil)
	e, ok := errors.AsType[*registration.Error](err)
	if !ok {
		a.t.Fatalf("got %v", err)
	}
	return e
}

func checkFailures(t *testing.T, c *Case) {
	for status, tc := range map[int]struct {
		header string
		kind   registration.Kind
		after  time.Duration
	}{
		http.StatusUnauthorized:        {kind: registration.Unauthorized},
		http.StatusForbidden:           {kind: registration.Unauthorized},
		http.StatusTooManyRequests:     {"", registration.Limited, 0},
		http.StatusInternalServerError: {kind: registration.Unavailable},
		http.StatusBadGateway:          {kind: registration.Unavailable},
		http.StatusServiceUnavailable:  {"120", registration.Unavailable, 2 * time.Minute},
	} {
		a := newAccount(t, c)
		e := failed(a, func(w http.ResponseWriter, _ *http.Request) bool {
			if tc.header != "" {
				w.Header().Set("Retry-After", tc.header)
			}
			a.Refuse(w, status, "words of the provider about "+standin.APIKey)
			return true
		})
		if e.Kind != tc.kind || e.Status != status || e.RetryAfter != tc.after || strings.Contains(e.Error(), "LEAK") {
			t.Errorf("%d: got %+v", status, e)
		}
		if !strings.Contains(e.Error(), "words of the provider") {
			t.Errorf("%d: its words are not told: %v", status, e)
		}
		a.mustEnsure(c.wanted()) // when it works again
		a.wantURLs(URL)
	}
	a := newAccount(t, c)
	e := failed(a, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "99999999999999")
		a.Refuse(w, http.StatusTooManyRequests, "slow down")
		return true
	})
	if e.Kind != registration.Limited || e.RetryAfter <= 0 || e.RetryAfter > 24*time.Hour {
		t.Errorf("an absurd Retry-After: got %+v", e)
	}
}

func checkHTML(t *testing.T, c *Case) {
	a := newAccount(t, c)
	for _, page := range []string{"<html><body>LEAK of a proxy</body></html>", "", "[[[", `"text"`} {
		e := failed(a, func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, page)
			return true
		})
		if e.Kind != registration.Unavailable || strings.Contains(e.Error(), "LEAK") {
			t.Errorf("%q: got %+v", page, e)
		}
	}
	a.wantURLs()
}

func checkHang(t *testing.T, c *Case) {
	a := newAccount(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	a.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	_, err := a.keeper.Ensure(ctx, c.wanted(), &a.known)
	if !registration.IsKind(err, registration.Unavailable) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
}

// checkForgets has an API that takes webhooks and has none.
func checkForgets(t *testing.T, c *Case) {
	a := newAccount(t, c)
	empty := c.New().Server()
	a.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet || slices.Contains(c.Reads, r.Method+" "+r.URL.Path) {
			body := []byte("{}")
			empty.Serve(w, r, body)
			return true
		}
		return false
	})
	_, err := a.ensure(c.wanted())
	if !registration.IsKind(err, registration.Unavailable) || !strings.Contains(err.Error(), "does not list it") {
		t.Errorf("got %v", err)
	}
}

func checkUnauthorized(t *testing.T, c *Case) {
	keeper := registration.Keeper{API: Open(t, &c.Vendor, c.New().Server(), "LEAK-another-key-1234")}
	_, err := keeper.Ensure(t.Context(), c.wanted(), &registration.Known{})
	if !registration.IsKind(err, registration.Unauthorized) || strings.Contains(err.Error(), "LEAK") {
		t.Errorf("got %v", err)
	}
}

// checkFailuresKeepOthers fails at each request of a move in turn, and then lets it go on: what others have is there in the end.
func checkFailuresKeepOthers(t *testing.T, c *Case) {
	if c.Single {
		t.Skip("there is room for one")
	}
	for at := range 24 {
		a := newAccount(t, c)
		w := c.wanted()
		w.URL = OldURL
		a.mustEnsure(w)
		a.put(standin.Hook{ID: "4711", URL: Foreign, Events: w.Events})
		a.known.Stale, a.known.MayPurge = true, true
		count := 0
		a.Answer(func(w http.ResponseWriter, _ *http.Request) bool {
			if count++; count-1 != at {
				return false
			}
			a.Refuse(w, http.StatusBadGateway, "down")
			return true
		})
		_, err := a.ensure(c.wanted())
		a.Answer(nil)
		if err == nil {
			a.wantURLs(Foreign, URL)
			return // there is no later request
		}
		a.mustEnsure(c.wanted())
		a.wantURLs(Foreign, URL)
	}
	t.Error("it makes more requests than that")
}

func checkRedirect(t *testing.T, c *Case) {
	a := newAccount(t, c)
	e := failed(a, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/elsewhere") {
			t.Error("it was followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return true
	})
	if !strings.Contains(e.Error(), "redirect") {
		t.Errorf("got %v", e)
	}
}

// checkSilence has a provider repeat all that it is told in its answer.
func checkSilence(t *testing.T, c *Case) {
	a := newAccount(t, c)
	e := failed(a, func(w http.ResponseWriter, r *http.Request) bool {
		a.Refuse(w, http.StatusBadRequest, r.URL.String()+" "+fmt.Sprint(r.Header))
		return true
	})
	if strings.Contains(e.Error(), standin.APIKey) || strings.Contains(e.Error(), standin.APIKey[:16]) {
		t.Errorf("got %v", e)
	}
}
