package providertest

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// decode tests what holds for every batch.
func (s Suite) decode(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	first := w.Decode(sample.request)
	s.checkBatch(t, w, sample.request, first)

	again := clone(sample.request)
	if diff := cmp.Diff(first, w.Decode(again)); diff != "" {
		t.Errorf("the same request decoded twice differs:\n%s", diff)
	}
	again.ReceivedAt = again.ReceivedAt.Add(time.Hour)
	ids := cmpopts.IgnoreFields(event.Event{}, "Time", "TimeImplausible")
	if diff := cmp.Diff(first, w.Decode(again), ids); diff != "" {
		t.Errorf("the request sent again an hour later differs:\n%s", diff)
	}
	if diff := cmp.Diff(first, w.Decode(onlyDecodeHeaders(s.Kind, sample.request))); diff != "" {
		t.Errorf("decoding reads a header that is not in DecodeHeaders:\n%s", diff)
	}
}

func onlyDecodeHeaders(k provider.Kind, r *provider.Request) *provider.Request {
	only := clone(r)
	only.Header = http.Header{}
	for _, name := range k.DecodeHeaders {
		if value := r.Header.Get(name); value != "" {
			only.Header.Set(name, value)
		}
	}
	return only
}

// checkBatch tests a batch against the contract of package provider.
func (s Suite) checkBatch(t testing.TB, w provider.Webhook, r *provider.Request, b provider.Batch, o ...cmp.Option) {
	t.Helper()
	inner, _ := s.opened(r.Body)
	seen := map[string]bool{}
	for i := range b.Events {
		e := &b.Events[i]
		if seen[e.ID] {
			t.Errorf("event %d: id %s occurs twice in one batch", i, e.ID)
		}
		seen[e.ID] = true
		checkEvent(t, s.Kind, e)
		if !bytes.Contains(r.Body, e.Raw) {
			checkPart(t, e, w.Decode(alone(r, e)).Events, kept(b.Events, e.Raw), o...)
		}
	}
	for i, u := range b.Undecodable {
		part := bytes.Contains(r.Body, u.Raw) || bytes.Contains(inner, u.Raw)
		if u.Reason == "" || !part && !s.Redacts {
			t.Errorf("undecodable %d: reason %q; reason and raw must be set", i, u.Reason)
		}
	}
	if _, err := json.Marshal(b.Events); err != nil {
		t.Errorf("the records must be encodable: %v", err)
	}
}

func checkEvent(t testing.TB, k provider.Kind, e *event.Event) {
	t.Helper()
	if e.ID == "" || e.Type == "" || e.Provider != k.Type {
		t.Errorf("id %q, type %q, provider %q: all must be set", e.ID, e.Type, e.Provider)
	}
	if e.Time.IsZero() || e.Time.Location() != time.UTC {
		t.Errorf("%s: time %v must be set, in UTC", e.Type, e.Time)
	}
	if !e.Raw.IsValid() {
		t.Errorf("%s: raw is no JSON", e.Type)
	}
}

// kept counts the events that keep the same of an item: a mail, and what it reports.
func kept(events []event.Event, raw []byte) int {
	count := 0
	for i := range events {
		if bytes.Equal(events[i].Raw, raw) {
			count++
		}
	}
	return count
}

// alone returns a request whose body is what an event keeps of its item.
func alone(r *provider.Request, e *event.Event) *provider.Request {
	only := clone(r)
	only.Body = wire.Unwrap(e.Raw)
	return only
}

// checkPart tests an event whose raw is not the item's own bytes, because the item is about others as well, or holds a credential: decoded
// alone, it is that event again, and the others that keep the same.
func checkPart(t testing.TB, e *event.Event, again []event.Event, count int, o ...cmp.Option) {
	t.Helper()
	// Twins of one request keep the same, and each alone is one.
	if len(again) != count && len(again) != 1 {
		t.Fatalf("%s: raw decodes to %d events, want %d", e.Type, len(again), count)
	}
	diff := ""
	for i := range again {
		if diff = cmp.Diff(*e, again[i], o...); diff == "" {
			return
		}
	}
	t.Errorf("%s: raw does not decode to the same event:\n%s", e.Type, diff)
}
