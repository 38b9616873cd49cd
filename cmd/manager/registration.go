package main

import (
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/mailvane/mailvane/controllers"
	"github.com/mailvane/mailvane/controllers/registration/builtin"
	"github.com/mailvane/mailvane/controllers/registration/rest"
	"github.com/mailvane/mailvane/controllers/registration/upkeep"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/receiver/netguard"
)

// newRegistration returns what asks providers. It connects neither to what is only the manager's own nor to metadata services of clouds: a base URL may be an author's.
func newRegistration(s *settings, spans *telemetry.Spans) (controllers.Registration, error) {
	counts, err := upkeep.NewMetrics(metrics.Registry)
	if err != nil {
		return controllers.Registration{}, fmt.Errorf("register metrics: %w", err)
	}
	dialer := netguard.Guard{Own: true}.Dialer(rest.ConnectTimeout)
	return controllers.Registration{Vendors: builtin.Vendors(), Transport: spans.Transport(rest.NewTransport(dialer)), Interval: s.interval, Metrics: counts}, nil
}
