package upkeep

import (
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/internal/catalogue"
)

// titleOf returns the name of an endpoint's provider for people.
func titleOf(e *v1alpha1.WebhookEndpoint) string {
	for _, p := range catalogue.Registering() {
		if p.Type == string(e.Spec.Provider.Type) {
			return p.Title
		}
	}
	return string(e.Spec.Provider.Type)
}

// registered is the finding of a webhook that is as it is wanted.
func (j *job) registered(out *registration.Outcome) condition.Finding {
	f := condition.Finding{Message: j.title + " has the webhook."}
	if n := len(j.wanted.Events); n > 0 {
		f.Message = fmt.Sprintf("%s has the webhook, with %s.", j.title, counted(n, "kind", "kinds")+" of events")
		if n == 1 && j.wanted.Events[0] == "*" {
			f.Message = j.title + " has the webhook, with all events."
		}
	}
	if out.Left > 0 {
		f = f.Warn(counted(out.Left, "webhook", "webhooks") + " of this endpoint with an older URL cannot be removed without all others of the account; " +
			"with spec.registration.deletionPolicy Delete the manager does so and puts the others back")
	}
	return f
}

func (j *job) untested(words string) string {
	return fmt.Sprintf("the test delivery that %s was asked for did not succeed: %s; mailvane endpoints tells what the receivers refuse", j.title, j.secrets.Hide(words))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// failure returns what is wrong at the provider, in its words, and what to do. Any other error is returned.
func (j *job) failure(err error) (attempt, error) {
	failed, ok := errors.AsType[*registration.Error](err)
	if !ok {
		return attempt{}, err
	}
	f := j.describe(failed)
	if n := len(j.state.Restore); n > 0 {
		f.Message += fmt.Sprintf(" %s of the account were removed together with an older one of this endpoint, and are put back as soon as it takes them.",
			counted(n, "webhook", "webhooks"))
	}
	return attempt{finding: f, failed: true, retryAfter: failed.RetryAfter}, nil
}

func (j *job) describe(failed *registration.Error) condition.Finding {
	ref := j.endpoint.Spec.Registration.APIKeyRef
	// What a provider once had it most likely still has while it cannot be asked.
	wasThere := statusOf(j.endpoint, v1alpha1.ConditionRegistered) != "False" && j.state.Sent != ""
	switch failed.Kind {
	case registration.Unauthorized:
		return condition.Finding{Reason: v1alpha1.ReasonCredentialRefused, Message: fmt.Sprintf(
			"%s does not take the API key: %v. Put one that may read and write webhooks into Secret %q, key %q.", j.title, failed, ref.Name, ref.Key)}
	case registration.Occupied:
		return condition.Finding{Reason: v1alpha1.ReasonWebhookOccupied, Message: fmt.Sprintf("%s has no place for the webhook: %v.", j.title, failed)}
	case registration.Limited:
		return condition.Finding{Reason: v1alpha1.ReasonRateLimited, Unknown: wasThere, Message: fmt.Sprintf(
			"%s takes no more requests for a while: %v. The manager asks again by itself.", j.title, failed)}
	case registration.Refused, registration.Missing, registration.Exists:
		return condition.Finding{Reason: v1alpha1.ReasonRegistrationRefused, Message: fmt.Sprintf(
			"%s does not take the webhook: %v. Check spec.registration; the manager tries again by itself.", j.title, failed)}
	default:
		return condition.Finding{Reason: v1alpha1.ReasonProviderUnavailable, Unknown: wasThere, Message: fmt.Sprintf(
			"The API of %s cannot be asked: %v. The manager tries again by itself.", j.title, failed)}
	}
}
