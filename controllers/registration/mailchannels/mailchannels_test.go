package mailchannels_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/mailchannels"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mailchannels.Vendor(),
		New:    func() standin.Provider { return standin.NewMailChannels() },
	})
}

// TestATestDelivery reads what became of ours among those of others.
func TestATestDelivery(t *testing.T) {
	t.Parallel()
	v := mailchannels.Vendor()
	s := standin.NewMailChannels()
	s.URLs = []string{registrationtest.Foreign, registrationtest.URL}
	tester, ok := registrationtest.Open(t, &v, s.Server(), standin.APIKey).(registration.Tester)
	if !ok {
		t.Fatal("it cannot be asked for test deliveries")
	}
	for status, want := range map[int]registration.Test{
		0:   {Words: "it got no answer"},
		200: {Passed: true, Words: "it was answered 200"},
		401: {Words: "it was answered 401"},
	} {
		s.Answers = map[string]int{registrationtest.Foreign: 500, registrationtest.URL: status}
		got, err := tester.Test(t.Context(), registration.Webhook{URL: registrationtest.URL})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%d: %v (-want +got):\n%s", status, err, diff)
		}
	}
	s.URLs = nil
	if got, err := tester.Test(t.Context(), registration.Webhook{URL: registrationtest.URL}); err != nil || got.Passed {
		t.Errorf("of a webhook that is gone: got %+v, %v", got, err)
	}
}

// TestAURLThatIsTooLong is not sent.
func TestAURLThatIsTooLong(t *testing.T) {
	t.Parallel()
	v := mailchannels.Vendor()
	s := standin.NewMailChannels()
	_, err := registrationtest.Open(t, &v, s.Server(), standin.APIKey).Create(t.Context(), registration.Wanted{URL: "https://" + strings.Repeat("a", 8000)})
	if !registration.IsKind(err, registration.Refused) || len(s.Requests()) > 0 {
		t.Errorf("got %v", err)
	}
}
