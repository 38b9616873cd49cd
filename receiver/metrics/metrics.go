// Package metrics holds every Prometheus metric of a receiver. Label sets are closed: endpoints, sinks and routes by the
// names in the configuration, everything else by constants. No label holds anything that a request brought.
package metrics

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/internal/version"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
)

const namespace = "mailvane"

// Metrics are the metrics of one receiver.
type Metrics struct {
	requests      *prometheus.CounterVec
	verified      *prometheus.CounterVec
	refusals      *prometheus.CounterVec
	events        *prometheus.CounterVec
	limits        *prometheus.CounterVec
	duration      prometheus.Histogram
	attempts      *prometheus.CounterVec
	delivered     *prometheus.CounterVec
	deadLetters   *prometheus.CounterVec
	reloads       *prometheus.CounterVec
	handoffs      *prometheus.CounterVec
	adminRefused  *prometheus.CounterVec
	inFlightBytes prometheus.Gauge
	lastReceived  *prometheus.GaugeVec
	lastDelivered *prometheus.GaugeVec
	delays        *prometheus.HistogramVec
	types         map[event.Type]prometheus.Counter // read only
}

// The outcomes of one event at the intake.
const (
	EventAccepted    = "accepted"
	EventDuplicate   = "duplicate"
	EventRefused     = "refused"
	EventUndecodable = "undecodable"
	EventUnverified  = "unverified"
	EventUnrouted    = "unrouted"
	EventUnknown     = "unknown_type"
	FilterFailed     = "filter_failed"
)

// The bounds that can be hit.
const (
	LimitBody          = "body"
	LimitInFlightBytes = "in_flight_bytes"
	LimitEndpointShare = "endpoint_share"
	LimitClientShare   = "client_share"
	LimitBodyTime      = "body_time"
	LimitConnections   = "connections"
	LimitHeader        = "header"
	LimitHeaderTime    = "header_time"
	LimitEncoding      = "content_encoding"
	LimitJournal       = "journal"
)

// The outcomes of one attempt to deliver a batch.
const (
	AttemptDelivered = "delivered"
	AttemptPartial   = "partial"
	AttemptTransient = "transient"
	AttemptThrottled = "throttled"
	AttemptPermanent = "permanent"
)

// The outcomes of a change of configuration.
const (
	ReloadLoaded  = "loaded"
	ReloadRefused = "refused"
)

// What became of events and dead letters that a pod still held when it was asked to stop.
const (
	HandoffGiven    = "given"
	HandoffTaken    = "taken"
	HandoffStranded = "stranded"
)

// New returns metrics that are registered with r.
func New(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests:      counters("requests_total", "Webhook requests by endpoint and HTTP status code.", "endpoint", "code"),
		verified:      counters("verified_requests_total", "Authentic requests by the key that signed them: its position in the settings, from 0 on, or its id. A key that signs nothing any more can be removed.", "endpoint", "key"),
		refusals:      counters("refusals_total", "Requests refused as not authentic, by cause; in shadow mode they are accepted and counted all the same.", "endpoint", "reason"),
		events:        counters("events_total", "Events by what became of them at the intake.", "endpoint", "outcome"),
		limits:        counters("limit_hits_total", "How often a bound was hit, by the endpoint where one is known.", "limit", "endpoint"),
		attempts:      counters("delivery_attempts_total", "Sends to a sink by outcome.", "sink", "outcome"),
		delivered:     counters("delivered_events_total", "Events that a sink has.", "sink"),
		deadLetters:   counters("dead_letters_total", "Events that went to the dead letters.", "sink", "cause"),
		reloads:       counters("config_reloads_total", "Changes of configuration by outcome.", "outcome"),
		handoffs:      counters("handoff_events_total", "Events and dead letters that a pod that stops gave to another, took from another, or could give to nobody.", "outcome"),
		adminRefused:  counters("admin_refusals_total", "Requests that the admin API refused, by what was wrong: the host, the origin, the token, or its right.", "reason"),
		duration:      prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "request_duration_seconds", Help: "Time from a webhook request's headers to its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
		inFlightBytes: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "in_flight_bytes", Help: "Bytes reserved for request bodies that are being handled."}),
		lastReceived:  gauges("last_received_timestamp_seconds", "When an endpoint last took an authentic request, in seconds since 1970; absent until it has.", "endpoint"),
		lastDelivered: gauges("last_delivered_timestamp_seconds", "When a sink last took an event, in seconds since 1970; absent until it has.", "sink"),
		delays: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "delivery_delay_seconds", Help: "Time from when an event was accepted until a sink has it.", Buckets: delayBuckets(),
		}, []string{"sink"}),
	}
	r.MustRegister(m.requests, m.verified, m.refusals, m.events, m.limits, m.duration, m.attempts, m.delivered, m.deadLetters, m.reloads, m.handoffs, m.adminRefused, m.inFlightBytes, m.lastReceived, m.lastDelivered, m.delays, buildInfo())
	types := counters("received_events_total", "Authentic events by their type, repeats included.", "type")
	r.MustRegister(types)
	m.types = make(map[event.Type]prometheus.Counter)
	for _, t := range event.Types() {
		m.types[t] = types.WithLabelValues(string(t))
	}
	for _, outcome := range []string{ReloadLoaded, ReloadRefused} {
		m.reloads.WithLabelValues(outcome) // at 0: of one that begins with 1 nobody can tell that it has grown
	}
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// delayBuckets returns bounds from what is ordinary to the length of an outage, in seconds.
func delayBuckets() []float64 {
	return []float64{0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600}
}

// buildInfo tells the release that runs, as a metric that is always 1.
func buildInfo() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "The release that runs; always 1.",
		ConstLabels: prometheus.Labels{"version": version.String(), "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

// Forget removes all that is counted of an endpoint "namespace/name" that is not there any more: it would look like one that has gone silent.
func (m *Metrics) Forget(endpoint string) {
	of := prometheus.Labels{"endpoint": endpoint}
	for _, c := range []*prometheus.CounterVec{m.requests, m.verified, m.refusals, m.events, m.limits} {
		c.DeletePartialMatch(of)
	}
	m.lastReceived.DeletePartialMatch(of)
}

// Limit counts a hit of one of the Limit bounds where no endpoint is known.
func (m *Metrics) Limit(limit string) { m.limits.WithLabelValues(limit, "").Inc() }

// Reload counts a change of configuration.
func (m *Metrics) Reload(outcome string) { m.reloads.WithLabelValues(outcome).Inc() }

// Handoff counts events and dead letters by one of the Handoff outcomes.
func (m *Metrics) Handoff(outcome string, n int) {
	m.handoffs.WithLabelValues(outcome).Add(float64(max(n, 0)))
}

// AdminRefused counts a request that the admin API refused, by one of the Refused constants of package access.
func (m *Metrics) AdminRefused(reason string) { m.adminRefused.WithLabelValues(reason).Inc() }

// ObserveRequest records how long one request took, in seconds, with the id of its trace as an exemplar; empty = it has none.
func (m *Metrics) ObserveRequest(seconds float64, traceID string) {
	if traceID == "" {
		m.duration.Observe(seconds)
		return
	}
	m.duration.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": traceID}) // each histogram is one
}

// SetInFlightBytes records the bytes reserved for bodies.
func (m *Metrics) SetInFlightBytes(n int64) { m.inFlightBytes.Set(float64(n)) }

// Endpoint are the metrics of one endpoint, resolved once.
type Endpoint struct {
	m    *Metrics
	name string
	ok   prometheus.Counter
	acc  prometheus.Counter
	key  atomic.Pointer[keyCounter] // that of the last request: keys change seldom
	last func() prometheus.Gauge    // made with the first request, since until then there is no time to tell
}

// Endpoint returns the metrics of the endpoint "namespace/name".
func (m *Metrics) Endpoint(name string) *Endpoint {
	m.limits.WithLabelValues(LimitBody, name) // at 0: see reloads
	return &Endpoint{
		m: m, name: name,
		ok:   m.requests.WithLabelValues(name, "200"),
		acc:  m.events.WithLabelValues(name, EventAccepted),
		last: sync.OnceValue(func() prometheus.Gauge { return m.lastReceived.WithLabelValues(name) }),
	}
}

// OK counts an authentic request that was answered 200.
func (e *Endpoint) OK() {
	e.ok.Inc()
	e.last().SetToCurrentTime()
}

// Answered counts a request that was answered with another status code.
func (e *Endpoint) Answered(code string) { e.m.requests.WithLabelValues(e.name, code).Inc() }

// Verified counts a request by the key that signed it, unless none did.
func (e *Endpoint) Verified(key string) {
	if key == "" {
		return
	}
	counter := e.key.Load()
	if counter == nil || counter.name != key {
		counter = &keyCounter{name: key, Counter: e.m.verified.WithLabelValues(e.name, key)}
		e.key.Store(counter)
	}
	counter.Inc()
}

// keyCounter counts the requests that one key has signed.
type keyCounter struct {
	prometheus.Counter

	name string
}

// Refused counts a request that was not authentic.
func (e *Endpoint) Refused(reason string) { e.m.refusals.WithLabelValues(e.name, reason).Inc() }

// Limit counts a hit of one of the Limit bounds by a request to the endpoint.
func (e *Endpoint) Limit(limit string) { e.m.limits.WithLabelValues(limit, e.name).Inc() }

// Accepted counts events that were stored.
func (e *Endpoint) Accepted(n int) { e.acc.Add(float64(n)) }

// Events counts events by one of the other outcomes; 0 is not recorded.
func (e *Endpoint) Events(outcome string, n int) {
	if n > 0 {
		e.m.events.WithLabelValues(e.name, outcome).Add(float64(n))
	}
}

// Received counts authentic events by their types, each of which is one of [event.Types].
func (e *Endpoint) Received(events []event.Event) {
	for i := range events {
		if counter := e.m.types[events[i].Type]; counter != nil {
			counter.Inc()
		}
	}
}

// Counts are what has been counted of one endpoint since the process started.
type Counts struct {
	// Accepted and Duplicates count events: those that were stored, and those that had been stored before.
	Accepted   uint64 `json:"accepted"`
	Duplicates uint64 `json:"duplicates"`
	// Refused counts requests that were not authentic.
	Refused uint64 `json:"refused"`
	// TooLarge counts requests whose body was above the endpoint's bound, and Encoded those whose body was encoded: both lose what
	// they brought where the provider does not try again.
	TooLarge uint64 `json:"tooLarge,omitzero"`
	Encoded  uint64 `json:"encoded,omitzero"`
}

// Counts returns what has been counted so far, by the endpoint's name.
func (m *Metrics) Counts() (map[string]Counts, error) {
	some := prometheus.NewRegistry()
	some.MustRegister(m.events, m.refusals, m.limits)
	families, err := some.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	all := map[string]Counts{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			name := labels["endpoint"]
			all[name] = all[name].with(labels, uint64(metric.GetCounter().GetValue()))
		}
	}
	return all, nil
}

// Plus returns the sum of c and other.
func (c Counts) Plus(other Counts) Counts {
	c.Accepted += other.Accepted
	c.Duplicates += other.Duplicates
	c.Refused += other.Refused
	c.TooLarge += other.TooLarge
	c.Encoded += other.Encoded
	return c
}

// with returns c with one counter added: one of events by its outcome, one of limits by its bound, or one of refusals by its reason.
func (c Counts) with(labels map[string]string, n uint64) Counts {
	switch {
	case labels["reason"] != "":
		c.Refused += n
	case labels["outcome"] == EventAccepted:
		c.Accepted += n
	case labels["outcome"] == EventDuplicate:
		c.Duplicates += n
	case labels["limit"] == LimitBody:
		c.TooLarge += n
	case labels["limit"] == LimitEncoding:
		c.Encoded += n
	}
	return c
}

// Sink are the metrics of one sink, resolved once.
type Sink struct {
	m         *Metrics
	name      string
	delivered prometheus.Counter
	last      func() prometheus.Gauge // made with the first delivery, since until then there is no time to tell
	delay     prometheus.Observer
}

// Sink returns the metrics of the sink "namespace/name".
func (m *Metrics) Sink(name string) *Sink {
	return &Sink{
		m: m, name: name, delivered: m.delivered.WithLabelValues(name), delay: m.delays.WithLabelValues(name),
		last: sync.OnceValue(func() prometheus.Gauge { return m.lastDelivered.WithLabelValues(name) }),
	}
}

// Attempt counts one send.
func (s *Sink) Attempt(outcome string) { s.m.attempts.WithLabelValues(s.name, outcome).Inc() }

// Delivered counts events that the sink has, which it got just now.
func (s *Sink) Delivered(events []journal.Delivery) {
	if len(events) == 0 {
		return
	}
	now := time.Now()
	s.delivered.Add(float64(len(events)))
	s.last().Set(float64(now.UnixMilli()) / 1000)
	for i := range events {
		s.delay.Observe(max(now.Sub(events[i].AcceptedAt).Seconds(), 0)) // a clock may have been set back
	}
}

// DeadLettered counts events that the sink will not get.
func (s *Sink) DeadLettered(cause string, n int) {
	s.m.deadLetters.WithLabelValues(s.name, cause).Add(float64(n))
}
