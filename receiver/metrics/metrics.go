// Package metrics holds every Prometheus metric of a receiver. Label sets are closed: endpoints, sinks and routes by the
// names in the configuration, everything else by constants. No label holds anything that a request brought.
package metrics

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
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
	}
	r.MustRegister(m.requests, m.verified, m.refusals, m.events, m.limits, m.duration, m.attempts, m.delivered, m.deadLetters, m.reloads, m.handoffs, m.adminRefused, m.inFlightBytes)
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
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

// ObserveRequest records how long one request took, in seconds.
func (m *Metrics) ObserveRequest(seconds float64) { m.duration.Observe(seconds) }

// SetInFlightBytes records the bytes reserved for bodies.
func (m *Metrics) SetInFlightBytes(n int64) { m.inFlightBytes.Set(float64(n)) }

// Endpoint are the metrics of one endpoint, resolved once.
type Endpoint struct {
	m    *Metrics
	name string
	ok   prometheus.Counter
	acc  prometheus.Counter
	key  atomic.Pointer[keyCounter] // that of the last request: keys change seldom
}

// Endpoint returns the metrics of the endpoint "namespace/name".
func (m *Metrics) Endpoint(name string) *Endpoint {
	return &Endpoint{
		m: m, name: name,
		ok:  m.requests.WithLabelValues(name, "200"),
		acc: m.events.WithLabelValues(name, EventAccepted),
	}
}

// OK counts a request that was answered 200.
func (e *Endpoint) OK() { e.ok.Inc() }

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
}

// Sink returns the metrics of the sink "namespace/name".
func (m *Metrics) Sink(name string) *Sink {
	return &Sink{m: m, name: name, delivered: m.delivered.WithLabelValues(name)}
}

// Attempt counts one send.
func (s *Sink) Attempt(outcome string) { s.m.attempts.WithLabelValues(s.name, outcome).Inc() }

// Delivered counts events that the sink has.
func (s *Sink) Delivered(n int) { s.delivered.Add(float64(n)) }

// DeadLettered counts events that the sink will not get.
func (s *Sink) DeadLettered(cause string, n int) {
	s.m.deadLetters.WithLabelValues(s.name, cause).Add(float64(n))
}
