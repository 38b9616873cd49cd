package upkeep

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/rest"
	"github.com/mailvane/mailvane/controllers/render"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func endpoint(status metav1.ConditionStatus) *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.UID = "mail", "a", "1"
	e.Spec.Provider.Type = v1alpha1.MailChannels
	e.Spec.Registration = &v1alpha1.Registration{APIKeyRef: v1alpha1.SecretKeyReference{Name: "api", Key: "key"}}
	e.Status.URL = "https://hooks.example.com/hooks/mail/a"
	if status != "" {
		e.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionRegistered, Status: status}}
	}
	return e
}

// TestDue says when a webhook is looked at.
func TestDue(t *testing.T) {
	t.Parallel()
	s := &schedule{interval: time.Hour}
	e := endpoint("")
	if after := s.due(e, "a", noon()); after != 0 {
		t.Errorf("a new one: %v", after)
	}
	after := s.next(e, "a", &attempt{}, noon())
	if after < time.Hour || after > time.Hour+6*time.Minute+1 {
		t.Errorf("after a success: %v", after)
	}
	if got := s.due(e, "a", noon()); got != after {
		t.Errorf("nothing has changed: %v, want %v", got, after)
	}
	if got := s.due(e, "a", noon().Add(after)); got != 0 {
		t.Errorf("after an interval: %v", got)
	}
	if got := s.due(e, "b", noon()); got != 0 {
		t.Errorf("something has changed: %v", got)
	}
	e.UID = "2"
	if got := s.due(e, "a", noon()); got != 0 {
		t.Errorf("another endpoint of the name: %v", got)
	}
}

// TestAManagerThatStarts does not look at all webhooks at once that were right, and at the others at once.
func TestAManagerThatStarts(t *testing.T) {
	t.Parallel()
	for status, soon := range map[metav1.ConditionStatus]bool{"True": false, "False": true, "Unknown": true, "": true} {
		s := &schedule{interval: 24 * time.Hour}
		if after := s.due(endpoint(status), "a", noon()); (after == 0) != soon || after >= 24*time.Hour {
			t.Errorf("%s: %v", status, after)
		}
	}
	e := endpoint("True")
	e.Generation = 2
	if after := (&schedule{interval: time.Hour}).due(e, "a", noon()); after != 0 {
		t.Errorf("one that was edited in between: %v", after)
	}
}

// TestBackoff doubles the time after each failure, up to a bound, and heeds what the provider says.
func TestBackoff(t *testing.T) {
	t.Parallel()
	s := &schedule{interval: time.Hour}
	e := endpoint("")
	for _, want := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute} {
		if got := s.next(e, "a", &attempt{failed: true}, noon()); got < want || got > want+want/10+1 {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := s.next(e, "a", &attempt{failed: true, retryAfter: 3 * time.Hour}, noon()); got != 3*time.Hour {
		t.Errorf("Retry-After: %v", got)
	}
	for range 100 {
		if got := s.next(e, "a", &attempt{failed: true}, noon()); got > maxDelay+maxDelay/10+1 {
			t.Fatalf("got %v", got)
		}
	}
	s.next(e, "a", &attempt{}, noon())
	if got := s.next(e, "a", &attempt{failed: true}, noon()); got > 2*firstDelay {
		t.Errorf("after a success: %v", got)
	}
	if got := s.next(e, "a", &attempt{again: time.Minute}, noon()); got != time.Minute {
		t.Errorf("a test that is to come: %v", got)
	}
}

// TestAccounts lets one in at a time, and nobody before the time that the provider has said, whoever asks.
func TestAccounts(t *testing.T) {
	t.Parallel()
	var a accounts
	one, other := newAccountID("MailChannels", "k"), newAccountID("MailChannels", "l")
	leave, after := a.enter(one, noon())
	if after != 0 {
		t.Fatal(after)
	}
	if _, after := a.enter(one, noon()); after < busyDelay || after >= 2*busyDelay {
		t.Errorf("beside somebody: %v", after)
	}
	if leaveOther, after := a.enter(other, noon()); after != 0 {
		t.Errorf("another account: %v", after)
	} else {
		leaveOther()
	}
	a.hold(one, noon(), time.Minute)
	leave()
	if _, after := a.enter(one, noon()); after != time.Minute {
		t.Errorf("before its time: %v", after)
	}
	leave, after = a.enter(one, noon().Add(time.Minute))
	if after != 0 {
		t.Fatalf("at its time: %v", after)
	}
	leave()
	if len(a.state) != 0 {
		t.Errorf("it remembers %d accounts for nothing", len(a.state))
	}
	if newAccountID("a", "bc") == newAccountID("ab", "c") {
		t.Error("two accounts are one")
	}
}

// TestKeys keeps the key before while requests may be signed with it, unless that was never the provider's.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := &state{key: "stands in"}
	s.setKey("", noon())
	if s.KeyTold || s.key != "stands in" {
		t.Errorf("no key was told: %+v", s)
	}
	s.setKey("first", noon())
	if s.key != "first" || s.previous != "" || !s.KeyTold {
		t.Errorf("the first: %+v", s)
	}
	s.setKey("first", noon().Add(time.Hour))
	if s.previous != "" || !s.KeyChanged.Equal(noon()) {
		t.Errorf("the same again: %+v", s)
	}
	s.setKey("second", noon().Add(time.Hour))
	if s.key != "second" || s.previous != "first" {
		t.Errorf("the second: %+v", s)
	}
	j := &job{state: s, needsKey: true, wanted: registration.Wanted{URL: "u"}}
	j.learn(&registration.Outcome{Key: "second", Webhook: registration.Webhook{URL: "u"}}, noon().Add(24*time.Hour))
	if s.previous != "first" {
		t.Error("the first is gone within a day")
	}
	j.learn(&registration.Outcome{Key: "second", Webhook: registration.Webhook{URL: "u"}}, noon().Add(25*time.Hour))
	if s.previous != "" {
		t.Error("the first is still there")
	}
}

// TestURLs remembers a bounded number of them, the last ones.
func TestURLs(t *testing.T) {
	t.Parallel()
	s := &state{}
	for i := range 40 {
		s.note(strings.Repeat("u", i+1))
		s.note("always")
	}
	if len(s.URLs) != maxURLs || !slices.Contains(s.URLs, "always") || !slices.Contains(s.URLs, strings.Repeat("u", 40)) {
		t.Errorf("got %v", s.URLs)
	}
}

func wantedOf(t *testing.T, e *v1alpha1.WebhookEndpoint, carries registration.Carries, c render.Registration) (registration.Wanted, condition.Finding) {
	t.Helper()
	j := &job{endpoint: e, vendor: &registration.Vendor{Carries: carries, Events: []string{"all"}}, title: "Example", state: &state{}}
	f := j.want(&c)
	return j.wanted, f
}

// TestWanted puts credentials where the provider takes them.
func TestWanted(t *testing.T) {
	t.Parallel()
	c := render.Registration{PathToken: "a/b?c#d e", Username: "me:", Password: "p@ss/w", HeaderValue: "h"}
	e := endpoint("")
	e.Spec.Authentication.Header.Name = "X-Key"
	e.Spec.Registration.Events = []string{"one"}
	w, f := wantedOf(t, e, registration.Carries{BasicInURL: true, Header: true}, c)
	if want := "https://me%3A:p%40ss%2Fw@hooks.example.com/hooks/mail/a/a%2Fb%3Fc%23d%20e"; !f.OK() || w.URL != want || w.Password != "" {
		t.Errorf("in the URL: got %+v, %v, want %s", w, f, want)
	}
	w, _ = wantedOf(t, e, registration.Carries{BasicFields: true, Header: true}, c)
	if w.Username != "me:" || w.Password != "p@ss/w" || strings.Contains(w.URL, "@") || w.Header != "X-Key" || w.HeaderValue != "h" || w.Events[0] != "one" {
		t.Errorf("in fields: got %+v", w)
	}
	if w, _ := wantedOf(t, endpoint(""), registration.Carries{}, render.Registration{}); w.URL != "https://hooks.example.com/hooks/mail/a" || w.Events[0] != "all" {
		t.Errorf("without any: got %+v", w)
	}
}

// TestWhatCannotBeCarried is said before the webhook is made: each of its requests would be refused.
func TestWhatCannotBeCarried(t *testing.T) {
	t.Parallel()
	ref := v1alpha1.SecretKeyReference{Name: "a", Key: "b"}
	for field, factors := range map[string]v1alpha1.Authentication{
		"authentication.basic":  {Basic: v1alpha1.BasicFactor{SecretRefs: []v1alpha1.BasicSecretReference{{Name: "a"}}}},
		"authentication.header": {Header: v1alpha1.HeaderFactor{Name: "X", SecretRefs: []v1alpha1.SecretKeyReference{ref}}},
		"authentication.oidc":   {OIDC: v1alpha1.OIDCFactor{Issuer: "https://example.com"}},
	} {
		e := endpoint("")
		e.Spec.Authentication = factors
		if _, f := wantedOf(t, e, registration.Carries{}, render.Registration{}); f.OK() || !strings.Contains(f.Message, field) {
			t.Errorf("%s: got %+v", field, f)
		}
	}
}

// TestWaiting says what has to be there before a provider is told the URL.
func TestWaiting(t *testing.T) {
	t.Parallel()
	programmed := func(generation int64, status metav1.ConditionStatus) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionProgrammed, Status: status, ObservedGeneration: generation}}
	}
	notExposed := append(programmed(1, "True"), metav1.Condition{Type: v1alpha1.ConditionExposed, Status: "False"})
	for name, tc := range map[string]struct {
		conditions []metav1.Condition
		exposure   *v1alpha1.Exposure
		url        string
		local      bool
		want       string
	}{
		"nothing is known":    {nil, nil, "https://a", false, "Programmed"},
		"not loaded":          {programmed(1, "False"), nil, "https://a", false, "Programmed"},
		"an older one loaded": {programmed(0, "True"), nil, "https://a", false, "Programmed"},
		"loaded":              {programmed(1, "True"), nil, "https://a", false, ""},
		"not exposed":         {notExposed, &v1alpha1.Exposure{}, "https://a", false, "Exposed"},
		"not to be exposed":   {notExposed, nil, "https://a", false, ""},
		"in the clear":        {programmed(1, "True"), nil, "http://a", false, "spec.exposure"},
		"within the cluster":  {programmed(1, "True"), nil, "http://a", true, ""},
	} {
		e := endpoint("")
		e.Generation, e.Status.Conditions, e.Spec.Exposure, e.Status.URL = 1, tc.conditions, tc.exposure, tc.url
		f := waiting(e, &registration.Vendor{LocalURL: tc.local})
		if f.OK() != (tc.want == "") || !strings.Contains(f.Message, tc.want) {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// TestDescribe tells failures apart, and what to do. Of a webhook that was there, what passes is no reason to say that it is not.
func TestDescribe(t *testing.T) {
	t.Parallel()
	for kind, tc := range map[registration.Kind]struct{ reason, words string }{
		registration.Unauthorized: {v1alpha1.ReasonCredentialRefused, `Secret "api", key "key"`},
		registration.Limited:      {v1alpha1.ReasonRateLimited, "asks again by itself"},
		registration.Refused:      {v1alpha1.ReasonRegistrationRefused, "Check spec.registration"},
		registration.Missing:      {v1alpha1.ReasonRegistrationRefused, "Check spec.registration"},
		registration.Occupied:     {v1alpha1.ReasonWebhookOccupied, "no place"},
		registration.Unavailable:  {v1alpha1.ReasonProviderUnavailable, "tries again by itself"},
	} {
		passes := kind == registration.Limited || kind == registration.Unavailable
		for _, status := range []metav1.ConditionStatus{"True", "Unknown", "False"} {
			j := &job{endpoint: endpoint(status), title: "Example", state: &state{Sent: "something"}}
			a, err := j.failure(&registration.Error{Kind: kind, Status: 418, Words: "its words", RetryAfter: time.Minute})
			f := a.finding
			if err != nil || f.Reason != tc.reason || !strings.Contains(f.Message, tc.words) || !strings.Contains(f.Message, "418: its words") || !a.failed || a.retryAfter != time.Minute {
				t.Errorf("%s: got %+v, %v", tc.reason, a, err)
			}
			if want := passes && status != "False"; f.Unknown != want {
				t.Errorf("%s, which was %s: unknown is %v, want %v", tc.reason, status, f.Unknown, want)
			}
		}
	}
	j := &job{endpoint: endpoint(""), title: "Example", state: &state{Restore: []string{"LEAK", "LEAK"}}}
	a, _ := j.failure(&registration.Error{})
	if !strings.Contains(a.finding.Message, "2 webhooks of the account") || strings.Contains(a.finding.Message, "LEAK") || a.finding.Unknown {
		t.Errorf("got %+v", a.finding)
	}
}

// TestUntested hides what an endpoint may have answered with.
func TestUntested(t *testing.T) {
	t.Parallel()
	j := &job{title: "Example", secrets: rest.NewSecrets("LEAK-token-123")}
	if got := j.untested("no answer from https://a/LEAK-token-123"); strings.Contains(got, "LEAK") || !strings.Contains(got, "no answer") {
		t.Errorf("got %s", got)
	}
}
