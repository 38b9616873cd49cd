package receiver

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
)

// moveTime is how long an endpoint is still served by its former receiver when the new one serves it: what is in front of them may
// take that long to notice.
const moveTime = 15 * time.Second

// writeStatus writes the statuses that are not what they should be.
func (r *Reconciler) writeStatus(ctx context.Context, s *scope, now time.Time) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i := range s.endpoints {
		before := &s.endpoints[i]
		status := webhookendpoint.Status(before, s.inputsOf(before, now))
		s.followMove(before, &status)
		if !equality.Semantic.DeepEqual(before.Status, status) {
			after := before.DeepCopy()
			after.Status = status
			group.Go(func() error {
				return r.patchStatus(ctx, before, after, before.Status.Conditions, after.Status.Conditions)
			})
		}
	}
	for i := range s.sinks {
		before := &s.sinks[i]
		status := eventsink.Status(before, s.problems(v1alpha1.EventSinkKind, before.Name), now)
		if !equality.Semantic.DeepEqual(before.Status, status) {
			after := before.DeepCopy()
			after.Status = status
			group.Go(func() error {
				return r.patchStatus(ctx, before, after, before.Status.Conditions, after.Status.Conditions)
			})
		}
	}
	return group.Wait()
}

// problems returns what is wrong with an object.
func (s *scope) problems(kind, name string) []render.Problem {
	return s.memory.problems[render.Object{Kind: kind, Namespace: s.namespace, Name: name}]
}

// inputsOf returns what the status of an endpoint depends on.
func (s *scope) inputsOf(e *v1alpha1.WebhookEndpoint, now time.Time) webhookendpoint.Inputs {
	name := receiverName(e)
	u := s.named[name]
	in := webhookendpoint.Inputs{
		Problems: s.problems(v1alpha1.WebhookEndpointKind, e.Name),
		Troubles: u.troublesOf(s.namespace, e.Name),
		Receiver: u.receiverFinding(), Refused: u.obstacle, Loaded: u.loaded, Name: name, MoveTime: moveTime, Now: now,
		BaseURL: func(receiver string) string { return base(s.namespace, receiver) },
		Exposed: s.exposures.findings[e.Name],
	}
	if e.Spec.Exposure != nil && !conflicts(in.Exposed) {
		in.ExternalURL = children.ExternalURL(e.Spec.Exposure)
	}
	return in
}

// followMove asks for another pass while an endpoint moves from one receiver to another: at the end of the move, and after it.
func (s *scope) followMove(before *v1alpha1.WebhookEndpoint, after *v1alpha1.WebhookEndpointStatus) {
	switch {
	case after.Receiver == receiverName(before) && before.Status.Receiver != "" && before.Status.Receiver != after.Receiver:
		s.lookAgain(time.Second)
	case after.Receiver != receiverName(before) && meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionProgrammed):
		s.lookAgain(moveTime)
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

// announce records a change of Ready, or of what it is not true for. Waiting for an edit to be loaded is the normal course of things and no event.
func (r *Reconciler) announce(object client.Object, was, is *metav1.Condition) {
	if is == nil || (was != nil && was.Status == is.Status && was.Reason == is.Reason) || is.Reason == v1alpha1.ReasonConfigurationPending {
		return
	}
	kind, note := corev1.EventTypeNormal, "The object is ready."
	if is.Status != metav1.ConditionTrue {
		kind, note = corev1.EventTypeWarning, is.Message
	}
	r.Recorder.Eventf(object, nil, kind, is.Reason, "Reconcile", "%s", note)
}
