package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
)

// deadLetters returns all, by ID.
func (r *receiver) deadLetters() (ids []uint64, all []admin.DeadLetter) {
	r.t.Helper()
	err := r.client.DeadLetters(r.t.Context(), func(d *admin.DeadLetter) error {
		ids, all = append(ids, d.ID), append(all, *d)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return ids, all
}

// retry returns how many dead letters live again, and why the others do not.
func (r *receiver) retry(ids []uint64) (done int, failed map[uint64]string) {
	r.t.Helper()
	result, err := r.client.Retry(r.t.Context(), ids)
	if err != nil {
		r.t.Fatal(err)
	}
	return result.Done, result.Failed
}

// TestABadRouteCostsOnlyThatRoute has one that works and one that cannot, until it is mended.
func TestABadRouteCostsOnlyThatRoute(t *testing.T) {
	t.Parallel()
	const problem = "filter: does not compile: undeclared reference to 'evnt'"
	r := start(t, vfs.NewMem())
	crm, picky := newDestination(t), newDestination(t)
	bad := configuration(httpSink("crm", crm.URL), httpSink("picky", picky.URL))
	bad.Endpoints[0].Routes[1].Problem = problem
	r.apply(bad)
	for _, id := range []string{"1@example.com", "2@example.com"} {
		if answer := r.postedAs(id); answer != `{"accepted":1,"duplicates":0,"deadLettered":1}` {
			t.Errorf("%s: %s", id, answer)
		}
	}
	if answer := r.postedAs("1@example.com"); !strings.HasPrefix(answer, `{"accepted":0,`) {
		t.Errorf("sent again: %s", answer)
	}
	eventually(t, "the other route delivers", func() bool { return crm.has("1@example.com", "2@example.com") })
	ids, all := r.deadLetters()
	for _, d := range all {
		if d.Cause != journal.CauseFilterFailed || d.Reason != problem || d.Endpoint != "mail/ee" || d.Route != "picky" || d.Sink != "mail/picky" {
			t.Errorf("%+v", d)
		}
	}
	if done, failed := r.retry(ids); len(ids) != 2 || done != 0 || !strings.Contains(failed[ids[0]], "route picky fails again: "+problem) {
		t.Fatalf("with the same route: %d of %d, %v", done, len(ids), failed)
	}

	mended := configuration(httpSink("crm", crm.URL), httpSink("picky", picky.URL))
	mended.Endpoints[0].Routes[1].Filter = `event.messageId == "2@example.com"`
	r.apply(mended)
	if done, failed := r.retry(ids); done != 2 {
		t.Errorf("with the mended route: %d, %v", done, failed)
	}
	eventually(t, "the mended route delivers what it selects", func() bool { return picky.has("2@example.com") })
	eventually(t, "nothing waits", func() bool { return r.Status().Pending == 0 })
	if left, _ := r.deadLetters(); len(left) != 0 || picky.times("1@example.com") != 0 || crm.times("2@example.com") != 1 {
		t.Errorf("%d dead letters; %d, %d times", len(left), picky.times("1@example.com"), crm.times("2@example.com"))
	}
}

// TestARouteWithoutItsSink holds what it is owed until the sink is there.
func TestARouteWithoutItsSink(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	later := newDestination(t)
	route := config.Route{Name: "later", Sink: "later", Filter: `event.messageId == "1@example.com"`}
	c := configuration()
	c.Endpoints[0].Routes = []config.Route{route}
	r.apply(c)
	for _, id := range []string{"1@example.com", "2@example.com"} {
		if status := r.post(id); status != http.StatusOK {
			t.Errorf("%s: %d", id, status)
		}
	}
	if _, all := r.deadLetters(); len(all) != 0 || r.Status().Pending != 1 {
		t.Fatalf("%d pending, dead letters: %+v", r.Status().Pending, all)
	}
	c = configuration(httpSink("later", later.URL))
	c.Endpoints[0].Routes[0] = route
	r.apply(c)
	eventually(t, "the sink gets what its route selected", func() bool { return later.has("1@example.com") })
}

// TestADeadLetterWaitsForItsSink refuses an event while the sink that is to take its dead letters is not there.
func TestADeadLetterWaitsForItsSink(t *testing.T) {
	t.Parallel()
	j := open(t, vfs.NewMem())
	r := startOn(t, j, app.Handoff{})
	crm, dead := newDestination(t), newDestination(t)
	crm.decide(http.StatusBadRequest)
	refusing := httpSink("crm", crm.URL)
	refusing.Delivery.DeadLetterSink = "dead"
	r.apply(configuration(refusing))
	r.post("1@example.com")
	eventually(t, "the event waits for the other sink", func() bool { return j.Stats().Pending["mail/dead"] == 1 })
	c := configuration(refusing)
	c.Sinks = append(c.Sinks, httpSink("dead", dead.URL))
	r.apply(c)
	eventually(t, "the other sink gets it", func() bool { return dead.has("1@example.com") && r.Status().Pending == 0 })
	if _, all := r.deadLetters(); len(all) != 0 {
		t.Errorf("dead letters: %+v", all)
	}
}
