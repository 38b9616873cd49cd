// Package receiver reconciles the receivers of a namespace, and the status of all its endpoints and sinks: one pass sees
// everything that the configurations are made of, and writes each object at most once. Each phase of a pass is a type in a package of its own.
package receiver

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/exposure"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/receiver/status"
	"github.com/mailvane/mailvane/controllers/receiver/workload"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Options are what a Reconciler needs.
type Options struct {
	// Client writes, and reads from the cache.
	Client client.Client
	// Live reads the values of Secrets, which are never cached.
	Live client.Reader
	// Pods says what is loaded.
	Pods program.Pods
	// Recorder takes the events.
	Recorder events.EventRecorder
	// Checks judge what is to be loaded.
	Checks render.Checks
	// Receiver says what receivers are like.
	Receiver children.Options
	// Limits say what endpoints may ask for.
	Limits limits.Limits
	// Claims names the ConfigMap in which it is noted which namespace has which host and path; without a name, it is not noted.
	Claims client.ObjectKey
	// Registered returns what was found of an endpoint's webhook at the provider, and whether anything was; nil = nobody looks.
	Registered func(endpoint types.UID) (condition.Finding, bool)
	// RegisteredChanges tells of endpoints of which it returns something else than before; nil = nobody looks.
	RegisteredChanges <-chan event.GenericEvent
	// Now is the clock.
	Now func() time.Time
}

// Reconciler reconciles one namespace at a time; a request's namespace is its key.
type Reconciler struct {
	Options
	configuration configuration.Phase
	tokens        program.Tokens
	asker         program.Asker
	workload      workload.Phase
	loader        program.Loader
	exposure      exposure.Phase
	status        status.Phase
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	applier := apply.New(o.Client, o.Live)
	return &Reconciler{
		Options:       o,
		configuration: configuration.Phase{Applier: applier, Live: o.Live, Checks: o.Checks},
		tokens:        program.Tokens{Seeder: applier, Live: o.Live},
		asker:         program.Asker{Pods: o.Pods},
		workload:      workload.Phase{Applier: applier, Live: o.Live, Limits: o.Limits, Options: o.Receiver},
		loader:        program.Loader{Patcher: o.Client},
		exposure: exposure.Phase{
			Cache: o.Client, Live: o.Live, Applier: applier, Claims: exposure.NewClaims(o.Client, o.Live, o.Claims), Limits: o.Limits,
		},
		status: status.Phase{Patcher: o.Client.Status(), Recorder: o.Recorder},
	}
}

// Reconcile makes the receivers of a namespace what its endpoints and sinks ask for.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	p, err := r.begin(ctx, request.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := p.configure(ctx, r); err != nil {
		return reconcile.Result{}, ignoreTerminating(err)
	}
	errs := []error{p.refused, p.makeTokens(ctx, r)}
	p.ask(ctx, r)
	errs = append(errs, p.apply(ctx, r), p.load(ctx, r), p.prune(ctx, r), p.expose(ctx, r), p.writeStatus(ctx, r))
	if p.isEmpty() {
		r.forget(request.Namespace)
	}
	return reconcile.Result{RequeueAfter: p.after}, ignoreTerminating(errors.Join(errs...))
}

func (r *Reconciler) forget(namespace string) {
	for _, forget := range []func(string){r.configuration.Forget, r.tokens.Forget, r.asker.Forget, r.loader.Forget, r.status.Forget} {
		forget(namespace)
	}
}

// ignoreTerminating takes a namespace that is about to go as it is: nothing can be created in it, and all of it goes.
func ignoreTerminating(err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
