// Package receiver reconciles the receivers of a namespace, and the status of all its endpoints and sinks: one pass sees
// everything that the configurations are made of, and writes each object at most once.
package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// Pods asks the pods of receivers.
type Pods interface {
	// Loaded returns which configuration a pod has loaded, and how its journal is. The error is [ErrToken] when it does not take the token.
	Loaded(ctx context.Context, pod *corev1.Pod, token string) (config.Loaded, error)
}

// Options are what a Reconciler needs.
type Options struct {
	// Client writes, and reads from the cache.
	Client client.Client
	// Live reads the values of Secrets, which are never cached.
	Live client.Reader
	// Pods says what is loaded.
	Pods Pods
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
	// Now is the clock.
	Now func() time.Time
}

// Reconciler reconciles one namespace at a time; a request's namespace is its key.
type Reconciler struct {
	Options
	applier *apply.Applier
	claims  *claims
	routes  *routes // nil until it is registered with a manager

	mu     sync.Mutex
	memory map[string]*memory
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		Options: o, applier: apply.New(o.Client, o.Live), memory: map[string]*memory{},
		claims: &claims{client: o.Client, live: o.Live, key: o.Claims},
	}
}

// Reconcile makes the receivers of a namespace what its endpoints and sinks ask for.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	s, err := r.gather(ctx, request.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	refused, err := r.configure(ctx, s)
	if err != nil {
		return reconcile.Result{}, ignoreTerminating(err)
	}
	errs := []error{refused}
	for _, u := range s.units {
		errs = append(errs, r.makeTokens(ctx, s, u))
	}
	r.askPods(ctx, s)
	for _, u := range s.units {
		errs = append(errs, r.apply(ctx, s, u), r.checkMounts(ctx, u), r.program(ctx, s, u))
	}
	now := r.Now()
	errs = append(errs, r.prune(ctx, s), r.expose(ctx, s, now), r.writeStatus(ctx, s, now))
	if len(s.endpoints)+len(s.sinks) == 0 {
		r.forget(s.namespace)
	}
	return reconcile.Result{RequeueAfter: s.after}, ignoreTerminating(errors.Join(errs...))
}

// ignoreTerminating takes a namespace that is about to go as it is: nothing can be created in it, and all of it goes.
func ignoreTerminating(err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
