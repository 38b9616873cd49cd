package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// testADrainOfPodsThatAreNotReady evicts a pod of receivers that have no ready one. Only what would be lost with it stands against
// that: events in a journal of its own, which no other pod could take.
func testADrainOfPodsThatAreNotReady(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	for name, tc := range map[string]struct {
		journal v1alpha1.Journal
		evicted bool
	}{
		"ephemeral": {v1alpha1.Journal{Type: v1alpha1.JournalEmbedded}, false},
		"claims":    {v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{Persistence: v1alpha1.PersistenceClaim}}, true},
		"nats":      {v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{URLs: []v1alpha1.NATSURL{"nats://nats.example.com:4222"}}}, true},
	} {
		p.create(dedicated(name, v1alpha1.Receiver{Journal: tc.journal}))
		receiver := children.DedicatedName(name)
		eventually(t, func() error { return p.noneHealthy(receiver) })
		pod := p.podWith(name+"-0", receiver, corev1.PodStatus{
			Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}},
		})
		err := p.client.SubResource("eviction").Create(t.Context(), pod, &policyv1.Eviction{})
		if tc.evicted != (err == nil) || (err != nil && !apierrors.IsTooManyRequests(err)) {
			t.Errorf("%s: evicted %v, want %v: %v", name, err == nil, tc.evicted, err)
		}
	}
}

// noneHealthy says of a receiver's PodDisruptionBudget, as kube-controller-manager does, that none of two pods is ready.
func (p *place) noneHealthy(receiver string) error {
	var budget policyv1.PodDisruptionBudget
	if err := p.get(receiver, &budget); err != nil {
		return err
	}
	budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation, ExpectedPods: 2, DesiredHealthy: 1}
	return p.client.Status().Update(p.t.Context(), &budget)
}

// testTheNetworkPolicyGoesAfterThePods deletes an endpoint whose pod takes its time to stop.
func testTheNetworkPolicyGoesAfterThePods(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(dedicated("own", v1alpha1.Receiver{}))
	name := children.DedicatedName("own")
	p.available(&appsv1.Deployment{}, name)
	pod := p.pod("own-0", name)
	p.edit(pod, func() { pod.Finalizers = []string{"example.com/stops"} })
	eventually(t, func() error { return p.ready("own") })
	p.remove(endpoint("own", "", ""))
	p.remove(pod)
	p.gone(name, &appsv1.Deployment{})
	p.gone(name, &corev1.Service{})
	p.gone(children.ConfigSecretName(name), &corev1.Secret{})
	var deleted []string
	funcs := dry(func(*unstructured.Unstructured, string, func() error) error { return nil })
	funcs.Delete = func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.DeleteOption) error {
		deleted = append(deleted, o.GetObjectKind().GroupVersionKind().Kind)
		return nil
	}
	eventually(t, func() error { // the cache knows that the pod is stopping
		if err := running.manager.GetClient().Get(t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil || pod.DeletionTimestamp.IsZero() {
			return fmt.Errorf("not yet: %w", err)
		}
		return nil
	})
	_, err := byHand(t, funcs).Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}})
	if err != nil || slices.Contains(deleted, "NetworkPolicy") {
		t.Errorf("deletes %v, %v", deleted, err)
	}
	if err := p.get(name, &networkingv1.NetworkPolicy{}); err != nil {
		t.Errorf("the NetworkPolicy, while the pod stops: %v", err)
	}
	p.edit(pod, func() { pod.Finalizers = nil })
	p.gone(name, &networkingv1.NetworkPolicy{})
}
