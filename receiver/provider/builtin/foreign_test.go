package builtin_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

// TestEveryProviderTakesTheRequestsOfAll has each documented request of each provider at an endpoint of each other one, as a URL that was
// pasted at the wrong place has: mail that came in where events are expected, forms where JSON is, lists where objects are. None is lost
// without a word, and what it becomes can be stored.
func TestEveryProviderTakesTheRequestsOfAll(t *testing.T) {
	t.Parallel()
	webhooks := map[string]provider.Webhook{}
	requests := map[string]*provider.Request{}
	for _, vendor := range simulate.Vendors() {
		settings, err := vendor.Settings()
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := builtin.Lookup(vendor.Type)
		if webhooks[vendor.Type], err = kind.New(settings, provider.Environment{}); err != nil {
			t.Fatal(err)
		}
		samples, err := vendor.Samples()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			requests[vendor.Type+"/"+s.Name] = &provider.Request{Header: s.Header, Body: s.Body, ReceivedAt: time.Now()}
		}
	}
	for name, w := range webhooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for from, r := range requests {
				b := w.Decode(r)
				if len(b.Events)+len(b.Undecodable)+b.Refused+len(b.Confirm) == 0 && b.Reply == nil {
					t.Errorf("%s is lost", from)
				}
				if _, err := json.Marshal(b.Events); err != nil {
					t.Errorf("%s: %v", from, err)
				}
				for i := range b.Events {
					if e := &b.Events[i]; e.ID == "" || e.Type == "" || !e.Raw.IsValid() {
						t.Errorf("%s: %+v", from, e)
					}
				}
			}
		})
	}
}
