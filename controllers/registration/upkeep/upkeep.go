// Package upkeep reconciles the webhooks that endpoints have at providers. It is apart from what reconciles receivers: providers are slow, limit
// requests and are down at times, which must hold up no configuration.
package upkeep

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/render"
)

// DefaultInterval is how often a webhook is looked at.
const DefaultInterval = 15 * time.Minute

// Options are what a Reconciler needs.
type Options struct {
	// Client writes, and reads from the cache.
	Client client.Client
	// Live reads the values of Secrets, which are never cached.
	Live client.Reader
	// Recorder takes the events.
	Recorder events.EventRecorder
	// Vendors are the providers whose APIs are known, by spec.provider.type.
	Vendors map[string]registration.Vendor
	// Transport makes the connections to them. It guards which addresses are connected to.
	Transport http.RoundTripper
	// Interval is how often a webhook is looked at; up to a tenth is added, so that not all are at once.
	Interval time.Duration
	// Results take what was found.
	Results *Results
	// Metrics count what was done; nil = nobody counts.
	Metrics *Metrics
	// Now is the clock.
	Now func() time.Time
}

// Reconciler keeps the webhook of one endpoint at a time.
type Reconciler struct {
	Options
	applier  *apply.Applier
	schedule schedule
	accounts accounts
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{Options: o, applier: apply.New(o.Client, o.Live), schedule: schedule{interval: o.Interval}}
}

// Reconcile looks at the webhook of an endpoint when it is due, or when something has changed that it depends on.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	e := &v1alpha1.WebhookEndpoint{}
	if err := r.Client.Get(ctx, request.NamespacedName, e); err != nil {
		r.schedule.forget(request.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !e.DeletionTimestamp.IsZero() {
		return r.remove(ctx, e)
	}
	if err := r.setFinalizer(ctx, e); err != nil {
		return reconcile.Result{}, err
	}
	if e.Spec.Registration == nil {
		r.schedule.forget(request.NamespacedName)
		r.Results.forget(e)
		return reconcile.Result{}, nil
	}
	inputs, err := r.inputs(ctx, e)
	if err != nil {
		return reconcile.Result{}, err
	}
	if after := r.schedule.due(e, inputs, r.Now()); after > 0 {
		return reconcile.Result{RequeueAfter: after}, nil
	}
	return r.look(ctx, e, inputs)
}

// look prepares what has to be there before the provider is asked, asks it, and says what came of it.
func (r *Reconciler) look(ctx context.Context, e *v1alpha1.WebhookEndpoint, inputs string) (reconcile.Result, error) {
	vendor, known := r.Vendors[string(e.Spec.Provider.Type)]
	if !known {
		return r.settle(e, inputs, attempt{finding: condition.Finding{
			Reason: v1alpha1.ReasonRegistrationRefused, Message: "This manager does not know the API of " + string(e.Spec.Provider.Type) + ".",
		}})
	}
	s, finding, err := r.prepare(ctx, e, &vendor)
	if err != nil {
		return reconcile.Result{}, err
	}
	if finding = condition.First(finding, waiting(e, &vendor)); !finding.OK() {
		return r.settle(e, inputs, attempt{finding: finding})
	}
	j, finding, err := r.job(ctx, e, &vendor, s)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !finding.OK() {
		return r.settle(e, inputs, attempt{finding: finding})
	}
	leave, after := r.accounts.enter(j.account, r.Now())
	if after > 0 {
		return reconcile.Result{RequeueAfter: after}, nil
	}
	defer leave()
	a, err := r.attempt(ctx, j)
	if err != nil {
		return reconcile.Result{}, err
	}
	r.accounts.hold(j.account, r.Now(), a.retryAfter)
	return r.settle(e, inputs, a)
}

// settle publishes what was found and says when to look again.
func (r *Reconciler) settle(e *v1alpha1.WebhookEndpoint, inputs string, a attempt) (reconcile.Result, error) {
	r.Metrics.attempted(string(e.Spec.Provider.Type), &a)
	r.Results.set(e, a.finding)
	return reconcile.Result{RequeueAfter: r.schedule.next(e, inputs, &a, r.Now())}, nil
}

// inputs names everything that a webhook is made of, and that says whether it can be registered. A change of it is a reason to look.
func (r *Reconciler) inputs(ctx context.Context, e *v1alpha1.WebhookEndpoint) (string, error) {
	var named strings.Builder
	fmt.Fprintf(&named, "%d %s %s %s", e.Generation, e.Status.URL, statusOf(e, v1alpha1.ConditionProgrammed), statusOf(e, v1alpha1.ConditionExposed))
	for _, name := range render.RegistrationSecrets(e) {
		version, err := r.version(ctx, e.Namespace, name)
		if err != nil {
			return "", err
		}
		named.WriteString(" " + name + "=" + version)
	}
	return named.String(), nil
}
