package upkeep

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// Metrics count what was done. Their labels are the type of the provider and the reason of the condition: both have few values.
type Metrics struct {
	attempts *prometheus.CounterVec
	changes  *prometheus.CounterVec
}

// NewMetrics returns Metrics that are registered. Those that are registered already are used.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	attempts, err := register(registerer, prometheus.CounterOpts{
		Name: "mailvane_registration_attempts_total", Help: "Looks at webhooks at providers, by provider and what came of them: the reason of the condition Registered.",
	}, "provider", "outcome")
	if err != nil {
		return nil, err
	}
	changes, err := register(registerer, prometheus.CounterOpts{
		Name: "mailvane_registration_changes_total", Help: "Webhooks that were made or changed at providers, by provider.",
	}, "provider")
	return &Metrics{attempts, changes}, err
}

func register(registerer prometheus.Registerer, o prometheus.CounterOpts, labels ...string) (*prometheus.CounterVec, error) {
	counter := prometheus.NewCounterVec(o, labels)
	err := registerer.Register(counter)
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if present, ok := there.ExistingCollector.(*prometheus.CounterVec); ok {
			return present, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", o.Name, err)
	}
	return counter, nil
}

func (m *Metrics) attempted(provider string, a *attempt) {
	if m == nil {
		return
	}
	outcome := a.finding.Reason
	if outcome == "" {
		outcome = v1alpha1.ReasonReconciled
	}
	m.attempts.WithLabelValues(provider, outcome).Inc()
	if a.changed {
		m.changes.WithLabelValues(provider).Inc()
	}
}
