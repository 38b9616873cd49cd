package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// series returns what a registry has of a metric, by the values of its labels, joined by blanks.
func series(t *testing.T, r *prometheus.Registry, name string) map[string]*dto.Metric {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*dto.Metric{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			found[strings.Join(values, " ")] = m
		}
	}
	return found
}

// counts returns the values of a counter.
func counts(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for labels, m := range series(t, r, name) {
		values[labels] = m.GetCounter().GetValue()
	}
	return values
}

func isNow(m *dto.Metric) bool {
	if m == nil {
		return false
	}
	age := time.Since(time.Unix(0, int64(m.GetGauge().GetValue()*1e9)))
	return age > -time.Second && age < time.Minute
}

// TestATimeIsToldOnceThereIsOne makes sure that nothing looks as if it had last happened in 1970.
func TestATimeIsToldOnceThereIsOne(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	endpoint, sink := m.Endpoint("mail/ee"), m.Sink("mail/crm")
	endpoint.Answered("401")
	sink.Attempt(metrics.AttemptTransient)
	sink.Delivered(nil)
	for _, name := range []string{"mailvane_last_received_timestamp_seconds", "mailvane_last_delivered_timestamp_seconds"} {
		if found := series(t, registry, name); len(found) != 0 {
			t.Errorf("%s before there was any: %v", name, found)
		}
	}
	endpoint.OK()
	sink.Delivered([]journal.Delivery{{AcceptedAt: time.Now()}})
	if !isNow(series(t, registry, "mailvane_last_received_timestamp_seconds")["mail/ee"]) {
		t.Error("the time of the last request is not now")
	}
	if !isNow(series(t, registry, "mailvane_last_delivered_timestamp_seconds")["mail/crm"]) {
		t.Error("the time of the last delivery is not now")
	}
}

// TestTheDelayOfDeliveriesIsCounted delivers events of several ages, one of them accepted by a clock that is ahead.
func TestTheDelayOfDeliveriesIsCounted(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	sink := metrics.New(registry).Sink("mail/crm")
	now := time.Now()
	sink.Delivered([]journal.Delivery{
		{AcceptedAt: now.Add(-2 * time.Minute)}, {AcceptedAt: now.Add(-20 * time.Second)}, {AcceptedAt: now.Add(time.Hour)},
	})
	h := series(t, registry, "mailvane_delivery_delay_seconds")["mail/crm"].GetHistogram()
	if h.GetSampleCount() != 3 || h.GetSampleSum() < 140 || h.GetSampleSum() > 150 {
		t.Errorf("%d delays of %v s in all, want 3 of 140", h.GetSampleCount(), h.GetSampleSum())
	}
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() == 0.01 && b.GetCumulativeCount() != 1 {
			t.Error("an event of the future has no delay of 0")
		}
	}
	if got := counts(t, registry, "mailvane_delivered_events_total"); got["mail/crm"] != 3 {
		t.Errorf("delivered %v", got)
	}
}

// TestEventsAreCountedByType counts known types alone, since a label must never be what a request brought.
func TestEventsAreCountedByType(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	endpoint := metrics.New(registry).Endpoint("mail/ee")
	endpoint.Received([]event.Event{{Type: event.Bounced}, {Type: event.Unknown}, {Type: event.Bounced}, {Type: "email.<script>"}})
	got := counts(t, registry, "mailvane_received_events_total")
	if len(got) != len(event.Types()) || got[string(event.Bounced)] != 2 || got[string(event.Unknown)] != 1 {
		t.Errorf("counted %v", got)
	}
}

// TestWhatIsGoneIsForgotten removes one of two endpoints, which must not look like one that has gone silent.
func TestWhatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	for _, name := range []string{"mail/gone", "mail/stays"} {
		e := m.Endpoint(name)
		e.OK()
		e.Answered("401")
		e.Refused("signature_mismatch")
		e.Verified("0")
		e.Accepted(2)
		e.Limit(metrics.LimitBody)
	}
	m.Forget("mail/gone")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	stays := 0
	for _, f := range families {
		for _, sample := range f.GetMetric() {
			for _, l := range sample.GetLabel() {
				switch l.GetValue() {
				case "mail/gone":
					t.Errorf("%s still speaks of it", f.GetName())
				case "mail/stays":
					stays++
				}
			}
		}
	}
	if stays != 7 {
		t.Errorf("%d series of the endpoint that stays, want 7", stays)
	}
	m.Endpoint("mail/gone").OK()
	if got := counts(t, registry, "mailvane_requests_total"); got["200 mail/gone"] != 1 {
		t.Errorf("an endpoint that came back counts %v", got)
	}
}

// TestRareCountersBeginAtZero looks at counters that alerts ask for their growth: of one that begins with 1 nobody can tell that it has grown.
func TestRareCountersBeginAtZero(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metrics.New(registry).Endpoint("mail/ee")
	if diff := cmp.Diff(map[string]float64{"loaded": 0, "refused": 0}, counts(t, registry, "mailvane_config_reloads_total")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]float64{"mail/ee body": 0}, counts(t, registry, "mailvane_limit_hits_total")); diff != "" {
		t.Error(diff)
	}
}

// TestTheReleaseIsTold looks for the version in the metrics.
func TestTheReleaseIsTold(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metrics.New(registry)
	if found := series(t, registry, "mailvane_build_info"); len(found) != 1 {
		t.Errorf("releases: %v", found)
	}
}

// TestCounts adds up what two receivers have counted of one endpoint.
func TestCounts(t *testing.T) {
	t.Parallel()
	m := metrics.New(prometheus.NewRegistry())
	e := m.Endpoint("mail/ee")
	e.Accepted(3)
	e.Events(metrics.EventDuplicate, 2)
	e.Events(metrics.EventUnknown, 5)
	e.Refused("signature_missing")
	e.Refused("address")
	e.Limit(metrics.LimitBody)
	e.Limit(metrics.LimitEncoding)
	e.Limit(metrics.LimitJournal)
	all, err := m.Counts()
	if err != nil {
		t.Fatal(err)
	}
	want := metrics.Counts{Accepted: 3, Duplicates: 2, Refused: 2, TooLarge: 1, Encoded: 1}
	if diff := cmp.Diff(want, all["mail/ee"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(metrics.Counts{Accepted: 6, Duplicates: 4, Refused: 4, TooLarge: 2, Encoded: 2}, want.Plus(want)); diff != "" {
		t.Error(diff)
	}
}
