package condition_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestTroublesAreToldCalmly reads what people read, which must not change with each event that comes.
func TestTroublesAreToldCalmly(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	problems := func(count uint64) []config.Problem {
		return []config.Problem{
			{Kind: config.BodyTooLarge, Message: "bodies were above 1000 bytes and refused with 413", Count: count, Since: at, Last: at.Add(time.Duration(count) * time.Second)},
			{Kind: config.FilterFailing, Route: "crm", Message: "it divides by zero", Count: count, Since: at, Last: at},
		}
	}
	const failing = "What a filter fails for becomes a dead letter; mend it, then retry them: mailvane deadletter retry --cause FilterFailed. " +
		"route crm: its filter fails for some events: it divides by zero (at least 100 events since 2026-01-02 03:04 UTC)"
	const large = "at least 100 requests since 2026-01-02 03:04 UTC: bodies were above 1000 bytes and refused with 413, and some providers never send such an event again. " +
		"Raise spec.maxBodySize if they are the provider's: a body that is too large is refused unread, whoever sends it."
	for _, count := range []uint64{100, 101, 242, 999} {
		if got := condition.Failing(problems(count)); got.Message != failing || got.Reason != "FilterFailing" {
			t.Errorf("%d: %+v", count, got)
		}
		if got := condition.Bodies(problems(count)); got.Message != large || got.Reason != "BodyTooLarge" {
			t.Errorf("%d: %+v", count, got)
		}
	}
	if got := condition.Failing(problems(1)); got.Message == failing {
		t.Errorf("one is told like a hundred: %+v", got)
	}
	if !condition.Failing(nil).OK() || !condition.Bodies(nil).OK() || !condition.Bodies(problems(1)[1:]).OK() {
		t.Error("what did not happen is told")
	}
	reused := config.Problem{Kind: config.SignatureReused, Message: "more than 100 different bodies came with one signature", Count: 242, Since: at, Last: at}
	if got := condition.Reused([]config.Problem{reused}); got.Reason != "SignatureReused" || !strings.HasPrefix(got.Message, "at least 100 requests since 2026-01-02 03:04 UTC: "+reused.Message) {
		t.Errorf("%+v", got)
	}
	journal := config.Problem{Kind: config.EventTooLarge, Message: "bodies may have 10 bytes, and the journal takes events of at most 5", Since: at, Last: at}
	if got := condition.Bodies([]config.Problem{journal}); got.Reason != "EventTooLarge" || !strings.Contains(got.Message, "cannot be retried: "+journal.Message) {
		t.Errorf("%+v", got)
	}
	if got := condition.Bodies(append([]config.Problem{journal}, problems(1)...)); got.Reason != "BodyTooLarge" {
		t.Errorf("what is lost already comes first: %+v", got)
	}
}
