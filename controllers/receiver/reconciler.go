// Package receiver reconciles the receiver that the endpoints of a namespace share, and the status of all endpoints and sinks
// of the namespace: one pass sees everything that the configuration is made of, and writes each object at most once.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Pods asks the pods of receivers.
type Pods interface {
	// LoadedHash returns the hash of the configuration that a pod has loaded.
	LoadedHash(ctx context.Context, pod *corev1.Pod) (string, error)
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
	// Now is the clock.
	Now func() time.Time
}

// Reconciler reconciles one namespace at a time; a request's namespace is its key.
type Reconciler struct {
	Options
	applier *apply.Applier

	mu     sync.Mutex
	memory map[string]*memory
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{Options: o, applier: apply.New(o.Client, o.Live), memory: map[string]*memory{}}
}

// Reconcile makes the receiver of a namespace what its endpoints and sinks ask for.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	s, err := r.gather(ctx, request.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	if len(s.endpoints)+len(s.sinks) == 0 {
		return reconcile.Result{}, r.remove(ctx, s)
	}
	err = r.configure(ctx, s)
	if err != nil && s.unwritten.OK() {
		return reconcile.Result{}, err
	}
	err = errors.Join(err, r.apply(ctx, s), r.program(ctx, s), r.writeStatus(ctx, s))
	return reconcile.Result{RequeueAfter: s.after}, ignoreTerminating(err)
}

// ignoreTerminating takes a namespace that is about to go as it is: nothing can be created in it, and all of it goes.
func ignoreTerminating(err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

// apply writes the receiver's objects but for the configuration, without which they are of no use. An object that belongs to
// somebody else, and one that the API server refuses, is a finding.
func (r *Reconciler) apply(ctx context.Context, s *scope) error {
	if s.memory.hash == "" {
		return nil
	}
	var errs []error
	for _, object := range children.Render(s.namespace, r.Receiver) {
		errs = append(errs, s.note(r.applier.Apply(ctx, object, s.child(object))))
	}
	return errors.Join(errs...)
}

// remove deletes the receiver of a namespace that has neither endpoints nor sinks any more.
func (r *Reconciler) remove(ctx context.Context, s *scope) error {
	r.forget(s.namespace)
	var errs []error
	for _, object := range s.children {
		errs = append(errs, r.applier.Delete(ctx, object))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove receiver: %w", err)
	}
	return nil
}
