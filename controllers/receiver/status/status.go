// Package status writes the statuses of endpoints and sinks, each once in a pass, from what the other phases found.
package status

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
)

// requestsAtOnce bounds the requests of one pass that are under way at a time.
const requestsAtOnce = 16

// Patcher patches the status of objects.
type Patcher interface {
	Patch(ctx context.Context, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error
}

// Phase writes statuses.
type Phase struct {
	// Patcher writes.
	Patcher Patcher
	// Recorder takes the events.
	Recorder events.EventRecorder

	mu      sync.Mutex
	written map[string]ahead // by namespace
}

// Endpoint is an endpoint, and what its status depends on.
type Endpoint struct {
	// Object is the endpoint.
	Object *v1alpha1.WebhookEndpoint
	// Inputs are what its status depends on.
	Inputs webhookendpoint.Inputs
}

// Sink is a sink, and what its status depends on.
type Sink struct {
	// Object is the sink.
	Object *v1alpha1.EventSink
	// Inputs are what its status depends on.
	Inputs eventsink.Inputs
}

// Write writes the statuses that are not what they should be. It returns when to look again; 0 = when something changes.
func (p *Phase) Write(ctx context.Context, endpoints []Endpoint, sinks []Sink) (after time.Duration, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for _, e := range endpoints {
		before := e.Object
		status := webhookendpoint.Status(before, e.Inputs)
		after = requeue.Sooner(after, afterMove(before, &status))
		if !equality.Semantic.DeepEqual(before.Status, status) {
			updated := before.DeepCopy()
			updated.Status = status
			group.Go(func() error {
				return p.patch(ctx, before, updated, before.Status.Conditions, status.Conditions)
			})
		}
	}
	for _, s := range sinks {
		before := s.Object
		status := eventsink.Status(before, s.Inputs)
		if !equality.Semantic.DeepEqual(before.Status, status) {
			updated := before.DeepCopy()
			updated.Status = status
			group.Go(func() error {
				return p.patch(ctx, before, updated, before.Status.Conditions, status.Conditions)
			})
		}
	}
	return after, group.Wait()
}

// afterMove returns when to look again at an endpoint that moves from one receiver to another: at the end of the move, and after it.
func afterMove(before *v1alpha1.WebhookEndpoint, after *v1alpha1.WebhookEndpointStatus) time.Duration {
	wanted := plan.ReceiverName(before)
	switch {
	case after.Receiver == wanted && before.Status.Receiver != "" && before.Status.Receiver != after.Receiver:
		return time.Second
	case after.Receiver != wanted && meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionProgrammed):
		return moveTime
	default:
		return 0
	}
}

// patch writes one status, and an event when Ready has changed with it. An object that is gone needs none.
func (p *Phase) patch(ctx context.Context, before, after client.Object, was, is []metav1.Condition) error {
	if err := p.Patcher.Patch(ctx, after, client.MergeFrom(before)); err != nil {
		return client.IgnoreNotFound(fmt.Errorf("write status of %s: %w", after.GetName(), err))
	}
	p.remember(after)
	p.announce(after, meta.FindStatusCondition(was, v1alpha1.ConditionReady), meta.FindStatusCondition(is, v1alpha1.ConditionReady))
	return nil
}

// announce records a change of Ready, or of its reason. Waiting for an edit to be loaded is the normal course of things and no event.
func (p *Phase) announce(object client.Object, was, is *metav1.Condition) {
	if is == nil || (was != nil && was.Status == is.Status && was.Reason == is.Reason) || is.Reason == v1alpha1.ReasonConfigurationPending {
		return
	}
	kind, note := corev1.EventTypeNormal, "The object is ready."
	if is.Status != metav1.ConditionTrue {
		kind, note = corev1.EventTypeWarning, is.Message
	}
	p.Recorder.Eventf(object, nil, kind, is.Reason, "Reconcile", "%s", note)
}
