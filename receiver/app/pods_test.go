package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestARetryAtAnotherPodIsADuplicate sends an event to one pod and the provider's retry to the other, while the first is there and
// after it has left: by then its sink has the event, so nothing of it was handed off.
func TestARetryAtAnotherPodIsADuplicate(t *testing.T) {
	t.Parallel()
	crm := newDestination(t)
	staying := startWith(t, vfs.NewMem(), takesOver())
	staying.apply(configuration(httpSink("crm", crm.URL)))
	going := startWith(t, vfs.NewMem(), patientHandoff(staying.back))
	going.apply(configuration(httpSink("crm", crm.URL)))
	if status := going.post("a@example.com"); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	eventually(t, "the sink has it", func() bool { return crm.has("a@example.com") })
	const duplicate = `{"accepted":0,"duplicates":1}`
	wait := time.Millisecond
	eventually(t, "the other pod is told soon", func() bool { // asked too soon it accepts the event, so each try has one of its own
		id := wait.String() + "@example.com"
		going.post(id)
		time.Sleep(wait)
		wait *= 2
		return staying.postedAs(id) == duplicate
	})
	if got := staying.postedAs("a@example.com"); got != duplicate {
		t.Errorf("the retry while the first pod is there: %s", got)
	}
	if err := going.stop(); err != nil {
		t.Fatal(err)
	}
	if got := staying.postedAs("a@example.com"); got != duplicate {
		t.Errorf("the retry after it has left: %s", got)
	}
	if n := crm.times("a@example.com"); n != 1 {
		t.Errorf("the sink has it %d times", n)
	}
}
