package wire_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestBounceType(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status string
		code   int
		want   event.BounceType
	}{
		"no such mailbox":                      {"5.1.1", 550, event.Hard},
		"no such mailbox, with a comment":      {"5.1.1 (bad destination mailbox address)", 0, event.Hard},
		"no such mailbox, of a class for now":  {"4.1.1", 450, event.Hard},
		"no such system":                       {"5.1.2", 0, event.Hard},
		"a domain that takes no mail":          {"5.1.10", 556, event.Hard},
		"the sender's address":                 {"4.1.8", 450, event.Soft},
		"mailbox full":                         {"4.2.2", 452, event.Soft},
		"mailbox full for good":                {"5.2.2", 552, event.Hard},
		"policy":                               {"5.7.1", 550, event.Soft},
		"greylisted":                           {"4.7.0", 451, event.Soft},
		"undefined":                            {"5.0.0", 0, event.Hard},
		"status against code":                  {"4.0.0", 550, event.Soft},
		"code of class 5 alone":                {"", 554, event.Hard},
		"code of class 4 alone":                {"", 421, event.Soft},
		"code of success":                      {"", 250, event.Undetermined},
		"status of success, code of a refusal": {"2.0.0", 550, event.Hard},
		"status that is none":                  {"x", 0, event.Undetermined},
		"class alone":                          {"5", 0, event.Hard},
		"nothing":                              {"", 0, event.Undetermined},
	} {
		if got := wire.BounceType(c.status, c.code); got != c.want {
			t.Errorf("%s: %q %d is %s, want %s", name, c.status, c.code, got, c.want)
		}
	}
}

func TestBounceCategory(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"5.1.1": "user_unknown", "4.1.2 (no such host)": "user_unknown", "5.1.8": "", "4.2.2": "mailbox_full", "5.2.1": "",
		"4.4.1": "connection", "5.6.0": "content", "5.7.26": "policy", "5.0.0": "", "5": "", "": "",
	} {
		if got := wire.BounceCategory(status); got != want {
			t.Errorf("%q: %q, want %q", status, got, want)
		}
	}
}
