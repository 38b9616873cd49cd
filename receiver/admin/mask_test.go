package admin_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/journal"
)

// TestMask reads what is left of reasons without the right to personal data.
func TestMask(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		cause  journal.Cause
		text   string
		want   string
	}{
		"address": {
			"the recipient", journal.CauseUndecodable, "recipient ada@example.com is listed twice", "recipient *** is listed twice",
		},
		"angle brackets": {
			"a display name's neighbour", journal.CauseUndecodable, "from <ada+x@example.com>, to bob@example.org.", "from <***>, to ***",
		},
		"in a URL": {
			"also encoded", journal.CauseExpired, "destination did not answer: Get https://crm.example.com/ada%40example.com", "destination did not answer: Get https:***",
		},
		"quoted": {
			"any text of a message", journal.CauseUndecodable, `member "subject" is no text: "Your \"order\" Ada"`, `member *** is no text: ***`,
		},
		"answer": {
			"what a destination says of an event", journal.CauseRefused, "destination answered 422 Unprocessable Entity: no contact Ada Lovelace",
			"destination answered 422 Unprocessable Entity: ***",
		},
		"redirect": {
			"where it points to is no person", journal.CauseRefused, "destination answered 308 Permanent Redirect; redirects are not followed",
			"destination answered 308 Permanent Redirect; redirects are not followed",
		},
		"filter": {
			"what the expression read", journal.CauseFilterFailed, "evaluate filter: unknown time zone Ada Lovelace", "it names a time zone that does not exist",
		},
		"filter of another kind": {
			"what is not known is not told", journal.CauseFilterFailed, "evaluate filter: Ada Lovelace", "it cannot be evaluated",
		},
		"connection": {
			"nothing personal stays as it is", journal.CauseExpired, "destination did not answer: dial tcp 192.0.2.1:443: connect: connection refused",
			"destination did not answer: dial tcp 192.0.2.1:443: connect: connection refused",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := admin.NewDeadLetter(&journal.DeadLetter{Cause: tc.cause, Reason: tc.text, Payload: []byte("Ada")})
			d.Mask()
			if d.Reason != tc.want || d.Payload != "" || !d.Masked {
				t.Errorf("%s: %q, want %q; %+v", tc.reason, d.Reason, tc.want, d)
			}
			s, result := admin.Sink{LastError: tc.text}, admin.Result{Failed: map[uint64]string{1: "route x fails again: " + tc.text}}
			s.Mask()
			result.Mask()
			if !strings.HasSuffix(s.LastError, tc.want) || strings.Contains(result.Failed[1], "Ada L") {
				t.Errorf("%s: %q, %v", tc.reason, s.LastError, result.Failed)
			}
		})
	}
}
