package settings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/settings"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-8d1f"
	for name, test := range map[string]struct{ reason, data, want string }{
		"known":     {"each member has its name", `{"keys":["` + secret + `"],"seconds":5}`, ""},
		"unknown":   {"a member that is not read would be a rule that is not kept", `{"` + "key" + `":"` + secret + `"}`, "unknown member /key"},
		"deep":      {"the place is named", `{"pair":{"certificate":"` + secret + `","keys":1}}`, "unknown member /pair/keys"},
		"odd kind":  {"the place is named, and not what is there", `{"keys":"` + secret + `"}`, "invalid value at /keys"},
		"too large": {"a number that does not fit is not cut", `{"seconds":3000000000}`, "invalid value at /seconds"},
		"cut off":   {"half a document is none", `{"keys":["` + secret, "malformed JSON at byte"},
		"a list":    {"settings are an object", `["` + secret + `"]`, "not a JSON object"},
		"nothing":   {"whoever renders settings writes at least {}", "", "malformed JSON"},
	} {
		var out struct {
			Keys    []string          `json:"keys"`
			Seconds int32             `json:"seconds"`
			Pair    *settings.KeyPair `json:"pair"`
		}
		err := settings.Decode([]byte(test.data), &out)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, test.want, test.reason)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the secret: %v", name, err)
		}
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)
	checking, starting := settings.Environment{Now: now}, settings.Environment{}
	if checking.Expired(now) || !checking.Expired(now.Add(-time.Second)) {
		t.Error("what is valid until now has not expired, and what was a second ago has")
	}
	if starting.Expired(now.AddDate(-10, 0, 0)) {
		t.Error("a receiver starts whatever has expired")
	}
}
