package mailgun_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/mailgun"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

const path = "/v3/domains/mg.example.com/webhooks"

// account is a domain as https://documentation.mailgun.com tells it: a list of up to three URLs for each event, and one signing key of the account.
type account struct {
	*standin.StandIn
	urls map[string][]string
	// noKey says that the API key is one that may not read the signing key.
	noKey bool
}

func newAccount() *account {
	a := &account{urls: map[string][]string{}}
	basic := base64.StdEncoding.EncodeToString([]byte("api:" + standin.APIKey))
	a.StandIn = &standin.StandIn{
		Account:    "mg.example.com",
		Authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Basic "+basic },
		Refuse: func(w http.ResponseWriter, status int, words string) {
			standin.WriteJSON(w, status, standin.Message(0, words))
		},
		Serve: a.serve,
	}
	return a
}

func (a *account) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	form, _ := url.ParseQuery(string(body))
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, path), "/")
	switch {
	case r.URL.Path == "/v5/accounts/http_signing_key":
		if a.noKey {
			a.Refuse(w, http.StatusForbidden, "Forbidden")
			return
		}
		standin.WriteJSON(w, http.StatusOK, map[string]string{"message": "success", "http_signing_key": "signing-key"})
		return
	case r.Method == http.MethodGet:
		all := map[string]any{}
		for event, urls := range a.urls {
			all[event] = map[string]any{"urls": urls}
		}
		standin.WriteJSON(w, http.StatusOK, map[string]any{"webhooks": all})
		return
	case r.Method == http.MethodPost:
		id = form.Get("id")
		if len(a.urls[id]) > 0 {
			a.Refuse(w, http.StatusBadRequest, "Webhook already exists")
			return
		}
	case len(a.urls[id]) == 0:
		a.Refuse(w, http.StatusNotFound, "Webhook not found")
		return
	}
	if len(form["url"]) > 3 {
		a.Refuse(w, http.StatusBadRequest, "too many URLs")
		return
	}
	a.urls[id] = form["url"]
	if len(a.urls[id]) == 0 {
		delete(a.urls, id)
	}
	standin.WriteJSON(w, http.StatusOK, standin.Message(0, "done"))
}

func (a *account) Server() *standin.StandIn { return a.StandIn }

func (a *account) Hooks() []standin.Hook {
	byURL := map[string]*standin.Hook{}
	for event, urls := range a.urls {
		for _, u := range urls {
			if byURL[u] == nil {
				byURL[u] = &standin.Hook{URL: u, Key: "signing-key"}
			}
			byURL[u].Events = append(byURL[u].Events, event)
		}
	}
	var hooks []standin.Hook
	for _, h := range byURL {
		slices.Sort(h.Events)
		hooks = append(hooks, *h)
	}
	return hooks
}

func (a *account) Put(h standin.Hook) {
	for _, event := range h.Events {
		a.urls[event] = append(a.urls[event], h.URL)
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mailgun.Vendor(), New: func() standin.Provider { return newAccount() }, TellsKey: true,
		Events: []string{"delivered", "permanent_fail"}, OtherEvents: []string{"opened", "delivered"},
	})
}

func keeperOf(t *testing.T, a *account) *registration.Keeper {
	t.Helper()
	v := mailgun.Vendor()
	return &registration.Keeper{API: registrationtest.Open(t, &v, a.StandIn, standin.APIKey)}
}

// TestADomainAtItsLimit has three URLs of others for an event.
func TestADomainAtItsLimit(t *testing.T) {
	t.Parallel()
	a := newAccount()
	a.urls["delivered"] = []string{"https://a.example.com/LEAK", "https://b.example.com/LEAK", "https://c.example.com/LEAK"}
	w := registration.Wanted{URL: registrationtest.URL, Events: []string{"delivered"}}
	_, err := keeperOf(t, a).Ensure(t.Context(), w, &registration.Known{})
	if !registration.IsKind(err, registration.Occupied) || strings.Contains(err.Error(), "LEAK") || len(a.urls["delivered"]) != 3 {
		t.Errorf("got %v, has %v", err, a.urls)
	}
	a.urls["delivered"] = []string{"https://a.example.com", registrationtest.OldURL, "https://c.example.com"}
	known := registration.Known{URLs: []string{registrationtest.OldURL}, Stale: true}
	if _, err := keeperOf(t, a).Ensure(t.Context(), w, &known); err != nil { // ours has a place already
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"https://a.example.com", "https://c.example.com", registrationtest.URL}, a.urls["delivered"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAKeyOfADomain may register webhooks and not read the signing key: it is said what to do.
func TestAKeyOfADomain(t *testing.T) {
	t.Parallel()
	a := newAccount()
	a.noKey = true
	w := registration.Wanted{URL: registrationtest.URL, Events: []string{"delivered"}}
	_, err := keeperOf(t, a).Ensure(t.Context(), w, &registration.Known{NeedsKey: true})
	if !registration.IsKind(err, registration.Refused) || !strings.Contains(err.Error(), "spec.provider.mailgun.signingKeyRefs") {
		t.Errorf("got %v", err)
	}
	if _, err := keeperOf(t, a).Ensure(t.Context(), w, &registration.Known{}); err != nil {
		t.Errorf("with a key of the author's: %v", err)
	}
}
