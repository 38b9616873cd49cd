package receiver

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
)

// writeStatus writes the statuses that are not what they should be.
func (r *Reconciler) writeStatus(ctx context.Context, s *scope) error {
	problems := map[render.Object][]render.Problem{}
	for _, p := range s.memory.problems {
		problems[p.Object] = append(problems[p.Object], p)
	}
	in := webhookendpoint.Inputs{Receiver: s.receiver(), Loaded: s.loaded, BaseURL: s.base(), Now: r.Now()}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range s.endpoints {
		before := &s.endpoints[i]
		in.Problems = problems[render.Object{Kind: v1alpha1.WebhookEndpointKind, Namespace: s.namespace, Name: before.Name}]
		after := before.DeepCopy()
		after.Status = webhookendpoint.Status(before, in)
		if !equality.Semantic.DeepEqual(before.Status, after.Status) {
			group.Go(func() error {
				return r.patchStatus(ctx, before, after, before.Status.Conditions, after.Status.Conditions)
			})
		}
	}
	for i := range s.sinks {
		before := &s.sinks[i]
		after := before.DeepCopy()
		after.Status = eventsink.Status(before, problems[render.Object{Kind: v1alpha1.EventSinkKind, Namespace: s.namespace, Name: before.Name}], in.Now)
		if !equality.Semantic.DeepEqual(before.Status, after.Status) {
			group.Go(func() error {
				return r.patchStatus(ctx, before, after, before.Status.Conditions, after.Status.Conditions)
			})
		}
	}
	return group.Wait()
}

// receiver says whether the endpoints have a receiver. One that runs is there although the API server refuses a change of it,
// but of no use when a name of its objects leads elsewhere.
func (s *scope) receiver() condition.Finding {
	switch {
	case s.available && s.obstacle.Reason != v1alpha1.ReasonNameTaken:
		return condition.Finding{}
	case !s.obstacle.OK():
		return s.obstacle
	default:
		return condition.Finding{Reason: v1alpha1.ReasonMinimumReplicasUnavailable, Message: noPod}
	}
}

// patchStatus writes one status, and an event when Ready has changed with it.
func (r *Reconciler) patchStatus(ctx context.Context, before, after client.Object, was, is []metav1.Condition) error {
	if err := r.Client.Status().Patch(ctx, after, client.MergeFrom(before)); err != nil {
		return client.IgnoreNotFound(fmt.Errorf("write status of %s: %w", after.GetName(), err))
	}
	r.remember(after.GetNamespace()).wrote(after)
	r.announce(after, meta.FindStatusCondition(was, v1alpha1.ConditionReady), meta.FindStatusCondition(is, v1alpha1.ConditionReady))
	return nil
}

// announce records a change of Ready. Waiting for an edit to be loaded is the normal course of things and no event.
func (r *Reconciler) announce(object client.Object, was, is *metav1.Condition) {
	if is == nil || (was != nil && was.Status == is.Status) || is.Reason == v1alpha1.ReasonConfigurationPending {
		return
	}
	kind, note := corev1.EventTypeNormal, "The object is ready."
	if is.Status != metav1.ConditionTrue {
		kind, note = corev1.EventTypeWarning, is.Message
	}
	r.Recorder.Eventf(object, nil, kind, is.Reason, "Reconcile", "%s", note)
}
