package upkeep

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
)

// Finalizer is on endpoints whose webhook is removed with them, and on no other.
const Finalizer = "mailvane.dev/registration"

const (
	// patience is how long the deletion of an endpoint, and so of its namespace, waits for a provider.
	patience = 15 * time.Minute
	// removalDelay is when a provider is asked again to remove a webhook.
	removalDelay = 20 * time.Second
)

// deletes reports whether an endpoint's webhook is to be removed with it.
func deletes(e *v1alpha1.WebhookEndpoint) bool {
	return e.Spec.Registration != nil && e.Spec.Registration.DeletionPolicy == v1alpha1.RegistrationDelete
}

// setFinalizer has an endpoint have the finalizer exactly when its webhook is to be removed with it.
func (r *Reconciler) setFinalizer(ctx context.Context, e *v1alpha1.WebhookEndpoint) error {
	if slices.Contains(e.Finalizers, Finalizer) == deletes(e) {
		return nil
	}
	if !deletes(e) {
		return r.dropFinalizer(ctx, e)
	}
	before := e.DeepCopy()
	e.Finalizers = append(e.Finalizers, Finalizer)
	return r.patchFinalizers(ctx, e, before)
}

func (r *Reconciler) dropFinalizer(ctx context.Context, e *v1alpha1.WebhookEndpoint) error {
	before := e.DeepCopy()
	e.Finalizers = slices.DeleteFunc(e.Finalizers, func(f string) bool { return f == Finalizer })
	return r.patchFinalizers(ctx, e, before)
}

// patchFinalizers writes the list of finalizers, which others have a part of: only onto the version that it was made of.
func (r *Reconciler) patchFinalizers(ctx context.Context, e, before *v1alpha1.WebhookEndpoint) error {
	err := r.Client.Patch(ctx, e, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return client.IgnoreNotFound(fmt.Errorf("write finalizers of %s: %w", e.Name, err))
	}
	return nil
}

// remove removes the webhook of an endpoint that is about to go. It gives up, and says so, when it cannot be done: an endpoint must not stay for ever, nor its namespace.
func (r *Reconciler) remove(ctx context.Context, e *v1alpha1.WebhookEndpoint) (reconcile.Result, error) {
	r.schedule.forget(client.ObjectKeyFromObject(e))
	r.Results.forget(e)
	if !slices.Contains(e.Finalizers, Finalizer) {
		return reconcile.Result{}, nil
	}
	why, after, err := r.unregister(ctx, e)
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case why.OK():
		return reconcile.Result{}, r.dropFinalizer(ctx, e)
	case after > 0 && r.Now().Sub(e.DeletionTimestamp.Time) < patience:
		return reconcile.Result{RequeueAfter: after}, nil
	}
	r.Recorder.Eventf(e, nil, corev1.EventTypeWarning, v1alpha1.ReasonWebhookRetained, "Unregister",
		"The webhook is still registered; remove it at the provider. %s", why.Message)
	return reconcile.Result{}, r.dropFinalizer(ctx, e)
}

// unregister removes the webhook. It returns why that is not possible, and when to try again; 0 = never.
func (r *Reconciler) unregister(ctx context.Context, e *v1alpha1.WebhookEndpoint) (why condition.Finding, after time.Duration, err error) {
	vendor, known := r.Vendors[string(e.Spec.Provider.Type)]
	if !known || e.Spec.Registration == nil {
		return condition.Finding{Reason: v1alpha1.ReasonRegistrationRefused, Message: "The manager does not know its API."}, 0, nil
	}
	s, finding, err := r.read(ctx, e)
	if err != nil || !finding.OK() {
		return finding, 0, err
	}
	j, finding, err := r.job(ctx, e, &vendor, s)
	if err != nil || !finding.OK() {
		return finding, 0, err
	}
	leave, busy := r.accounts.enter(j.account, r.Now())
	if busy > 0 {
		return condition.Finding{Reason: v1alpha1.ReasonRateLimited, Message: "The provider takes no more requests for a while."}, busy, nil
	}
	defer leave()
	s.note(j.wanted.URL)
	err = r.keeper(j).Remove(ctx, &registration.Known{URLs: s.URLs, Restore: s.Restore})
	if err == nil {
		return condition.Finding{}, 0, nil
	}
	a, err := j.failure(err)
	if err != nil {
		return condition.Finding{}, 0, err
	}
	r.accounts.hold(j.account, r.Now(), a.retryAfter)
	return a.finding, max(removalDelay, a.retryAfter), nil
}
