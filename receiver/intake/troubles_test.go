package intake_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
)

// troubled returns an endpoint with a route whose filter fails for events without recipients, and a small bound for bodies.
func troubled(change func(*config.Endpoint)) config.Endpoint {
	return emailEngine(func(e *config.Endpoint) {
		e.MaxBodyBytes = 1000
		e.Routes = append(e.Routes,
			config.Route{Name: "first", Sink: "crm", Filter: `1 / size(event.recipients) > 0`},
			config.Route{Name: "broken", Sink: "crm", Filter: `event.type == "email.opened"`, Problem: "its sink is missing"})
		if change != nil {
			change(e)
		}
	})
}

// TestTroublesAreToldOfAnEndpoint has a filter fail and bodies be too large, and edits the configuration.
func TestTroublesAreToldOfAnEndpoint(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := newFrontWith(t, intake.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }}, troubled(nil))
	opened := func(id string) string {
		return fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<%s@example.com>"}}`, id)
	}
	post := func(body string, want int) {
		t.Helper()
		if got := f.do(signed(t, "/hooks/mail/ee", body)).status; got != want {
			t.Errorf("answered %d, want %d", got, want)
		}
	}
	post(opened("1"), http.StatusOK)
	began := now
	now = now.Add(time.Hour)
	post(opened("2"), http.StatusOK)
	post(opened(strings.Repeat("3", 1000)), http.StatusRequestEntityTooLarge)

	want := []config.Problem{
		{Endpoint: "mail/ee", Kind: config.BodyTooLarge, Message: "bodies were above 1000 bytes and refused with 413", Count: 1, Since: now, Last: now},
		{
			Endpoint: "mail/ee", Kind: config.FilterFailing, Route: "first", Message: "it divides by zero",
			Count: 2, Since: began, Last: now,
		},
	}
	told := func(what string, want []config.Problem) {
		t.Helper()
		if diff := cmp.Diff(want, f.handler.Table().Problems(now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	told("a filter that fails and a body that is too large", want)
	if n := strings.Count(log.String(), "the filter of a route fails"); n != 1 || !strings.Contains(log.String(), "route=first") {
		t.Errorf("%d lines for one route under one configuration:\n%s", n, log.String())
	}

	other := emailEngine(func(e *config.Endpoint) { e.Name, e.Path = "other", "/hooks/mail/other" })
	f.swap(troubled(nil), other)
	told("another endpoint comes", want)
	now = now.Add(24 * time.Hour)
	told("a day without", nil)
	now = now.Add(-time.Hour)
	f.swap(troubled(func(e *config.Endpoint) { e.MaxBodyBytes = 10_000 }), other)
	told("the endpoint is edited", nil)
	post(opened("4"), http.StatusOK)
	if n := strings.Count(log.String(), "the filter of a route fails"); n != 2 {
		t.Errorf("%d lines under two configurations:\n%s", n, log.String())
	}
}

// TestStrangersCauseNoTroubleOfARoute lets what is not verified fail a filter that asks for such.
func TestStrangersCauseNoTroubleOfARoute(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Verification = config.Shadow
		e.Routes = []config.Route{{Name: "first", Sink: "crm", Filter: `event.unverified && 1 / size(event.recipients) > 0`}}
	}))
	request := signed(t, "/hooks/mail/ee", `{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<1@example.com>"}}`)
	request.Header.Set("X-EE-Wh-Signature", "forged")
	if got := f.do(request).status; got != http.StatusOK {
		t.Fatal(got)
	}
	if got := f.handler.Table().Problems(time.Now()); len(got) != 0 {
		t.Errorf("told: %+v", got)
	}
}

// TestASignatureThatIsUsedAgainIsSaid posts bodies of somebody's own with headers that EngageLab has sent once. Retries repeat their
// body: any number of them says nothing.
func TestASignatureThatIsUsedAgainIsSaid(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		algorithm string
		bodies    int // of which each comes twice
		said      bool
	}{
		"a retry again and again":       {"HMACSHA256", 1, false},
		"as many as there may be":       {"HMACSHA256", 100, false},
		"one more":                      {"HMACSHA256", 101, true},
		"another algorithm":             {"MD5", 101, true},
		"a second is not a signature's": {"HMACSHA256ITime", 101, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := `{"appKeys":["appkey123"],"signatureAlgorithm":"` + tc.algorithm + `"}`
			f := newFront(t, engageLab(func(e *config.Endpoint) { e.Provider.Settings = []byte(settings) }))
			var seen http.Header
			itime := time.Now().Unix() // which the receiver holds against its tolerance
			for n := range 2 * max(tc.bodies, maxRepeats/2) {
				body := fmt.Sprintf(`{"response":{"event":"open"},"message_id":"%d","itime":%d}`, n%tc.bodies, itime)
				if seen == nil {
					seen = signedBy(t, settings, body)
				}
				r := httptest.NewRequest(http.MethodPost, "/hooks/mail/el", strings.NewReader(body))
				r.Header = seen
				if a := f.do(r); a.status != http.StatusOK {
					t.Fatalf("body %d: %d %s", n, a.status, a.body)
				}
			}
			problems := f.table.Problems(time.Now())
			if said := len(problems) == 1 && problems[0].Kind == config.SignatureReused; said != tc.said || !said && len(problems) > 0 {
				t.Errorf("%+v", problems)
			}
		})
	}
}

// maxRepeats is how often a retry comes that comes again and again.
const maxRepeats = 300
