package status

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
	"github.com/mailvane/mailvane/receiver/config"
)

// moveTime is how long an endpoint is still served by its former receiver when the new one serves it: what is in front of them may
// take that long to notice.
const moveTime = 15 * time.Second

// Receiver is what the phases found of a receiver.
type Receiver struct {
	// Refused is set when an object of it could not be written, or may not be.
	Refused condition.Finding
	// Journal is set when the journal of a pod takes no events.
	Journal condition.Finding
	// Available reports whether a pod is available.
	Available bool
	// Warnings says what is wrong with journals that work.
	Warnings string
	// Missing is set when a Secret that the pods mount is not there.
	Missing condition.Finding
	// NotRunning says why no pod is available, if none is.
	NotRunning condition.Finding
	// Loaded is whether the pods have loaded the configuration.
	Loaded condition.Finding
	// Problems are what its pods report of endpoints.
	Problems []config.Problem
}

// Finding returns whether endpoints have the receiver. One that runs is there although the API server refuses a change of it, which
// Programmed reports, but of no use when a name of its objects leads elsewhere, or when its journal takes nothing.
func (r *Receiver) Finding() condition.Finding {
	switch {
	case r.Refused.Reason == v1alpha1.ReasonNameTaken:
		return r.Refused
	case !r.Journal.OK():
		return r.Journal
	case r.Available:
		return condition.Finding{}.Warn(r.Warnings)
	default:
		return condition.First(r.Refused, r.Missing, r.NotRunning)
	}
}

// Inputs returns what the status of an endpoint depends on that asks for the receiver, but for its exposure.
func (r *Receiver) Inputs(e *v1alpha1.WebhookEndpoint, problems []render.Problem, now time.Time) webhookendpoint.Inputs {
	return webhookendpoint.Inputs{
		Problems: problems, Troubles: r.problemsOf(e),
		Receiver: r.Finding(), Refused: r.Refused, Loaded: r.Loaded, Name: plan.ReceiverName(e), MoveTime: moveTime, Now: now,
		BaseURL: func(receiver string) string {
			return fmt.Sprintf("http://%s.%s.svc:%d", receiver, e.Namespace, children.WebhookPort)
		},
	}
}

// problemsOf returns what is reported of one endpoint.
func (r *Receiver) problemsOf(e *v1alpha1.WebhookEndpoint) []config.Problem {
	var own []config.Problem
	for _, p := range r.Problems {
		if p.Endpoint == e.Namespace+"/"+e.Name {
			own = append(own, p)
		}
	}
	return own
}
