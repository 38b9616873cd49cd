package emailengine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/emailengine"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: emailengine.Vendor(),
		New:    func() standin.Provider { return standin.NewEmailEngine() },
		Single: true, Header: true,
		Events: []string{"messageBounce", "messageComplaint"}, OtherEvents: []string{"*"},
	})
}

func open(t *testing.T, s *standin.EmailEngine) registration.API {
	t.Helper()
	v := emailengine.Vendor()
	return registrationtest.Open(t, &v, s.Server(), standin.APIKey)
}

// TestTheSecretIsSet where the manager has made one, and is left alone where the author has named his.
func TestTheSecretIsSet(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{"LEAK-of-the-manager": "LEAK-of-the-manager", "": "LEAK-made-by-emailengine"} {
		s := standin.NewEmailEngine()
		if _, err := open(t, s).Create(t.Context(), registration.Wanted{URL: registrationtest.URL, Events: []string{"*"}, Key: key}); err != nil {
			t.Fatal(err)
		}
		if got := standin.Setting[string](s, "serviceSecret"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestHeadersOfOthersStay beside the one that the endpoint asks for, which takes the place of an older one in any letter case.
func TestHeadersOfOthersStay(t *testing.T) {
	t.Parallel()
	s := standin.NewEmailEngine()
	s.Settings["webhooksCustomHeaders"] = json.RawMessage(`[{"key": "X-Of-Somebody", "value": "1"}, {"key": "x-key", "value": "old"}]`)
	_, err := open(t, s).Create(t.Context(), registration.Wanted{URL: registrationtest.URL, Events: []string{"*"}, Header: "X-Key", HeaderValue: "new"})
	if err != nil {
		t.Fatal(err)
	}
	want := []standin.EmailEngineHeader{{Key: "X-Of-Somebody", Value: "1"}, {Key: "X-Key", Value: "new"}}
	if diff := cmp.Diff(want, standin.Setting[[]standin.EmailEngineHeader](s, "webhooksCustomHeaders")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAURLOfSomebodyElseThatIsNone is not repeated.
func TestAURLOfSomebodyElseThatIsNone(t *testing.T) {
	t.Parallel()
	s := standin.NewEmailEngine()
	s.Put(standin.Hook{URL: "LEAK::not a URL"})
	_, err := open(t, s).Create(t.Context(), registration.Wanted{URL: registrationtest.URL})
	if !registration.IsKind(err, registration.Occupied) || strings.Contains(err.Error(), "LEAK") {
		t.Errorf("got %v", err)
	}
}
