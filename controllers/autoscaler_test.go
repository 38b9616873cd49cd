package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// testAnAutoscaler gets the number of pods as it was, and keeps it.
func testAnAutoscaler(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	e := dedicated("own", v1alpha1.Receiver{Replicas: 5})
	p.create(e)
	name := children.DedicatedName("own")
	p.available(&appsv1.Deployment{}, name)
	p.edit(e, func() {
		e.Spec.Receiver = &v1alpha1.Receiver{Autoscaling: v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9, TargetCPUUtilizationPercentage: 50}}
	})
	var autoscaler autoscalingv2.HorizontalPodAutoscaler
	eventually(t, func() error { return p.get(name, &autoscaler) })
	replicas := func(want int32) {
		t.Helper()
		var d appsv1.Deployment
		if err := p.get(name, &d); err != nil || *d.Spec.Replicas != want {
			t.Errorf("%d replicas, %v; want %d", *d.Spec.Replicas, err, want)
		}
	}
	replicas(5)
	var d appsv1.Deployment
	if err := p.get(name, &d); err != nil {
		t.Fatal(err)
	}
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 7}}
	if err := p.client.SubResource("scale").Update(t.Context(), &d, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	p.edit(e, func() { e.Spec.Receiver.Resources.Limits.Memory = resource.MustParse("3Gi") })
	eventually(t, func() error {
		if err := p.get(name, &d); err != nil {
			return err
		}
		if limit := d.Spec.Template.Spec.Containers[0].Resources.Limits.Memory(); limit.String() != "3Gi" {
			return fmt.Errorf("limit %v", limit)
		}
		return nil
	})
	replicas(7)
	p.edit(e, func() { e.Spec.Receiver = &v1alpha1.Receiver{Replicas: 4} })
	p.available(&appsv1.Deployment{}, name)
	p.gone(name, &autoscalingv2.HorizontalPodAutoscaler{})
	replicas(4)
}

// testNoAutoscalerBeforeThePodsAreKept cannot give the number of pods up, or only one that the cache had long ago: a Deployment
// without it would have one pod.
func testNoAutoscalerBeforeThePodsAreKept(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(dedicated("own", v1alpha1.Receiver{Replicas: 5}))
	name := children.DedicatedName("own")
	eventually(t, func() error { // the cache has it
		return running.manager.GetClient().Get(t.Context(), client.ObjectKey{Namespace: p.namespace, Name: name}, &appsv1.Deployment{})
	})
	for what, tc := range map[string]struct {
		cached  int32
		refused error
	}{
		"the API server is slow": {5, apierrors.NewServerTimeout(schema.GroupResource{Group: "apps", Resource: "deployments"}, "patch", 1)},
		"the cache is behind":    {4, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var applied []string
			funcs := dry(func(o *unstructured.Unstructured, owner string, write func() error) error {
				switch {
				case owner == "mailvane-leave" && tc.refused != nil:
					return tc.refused
				case owner == "mailvane-leave":
					return write()
				}
				applied = append(applied, o.GetKind())
				return nil
			})
			funcs.List = func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
				err := c.List(ctx, l, opts...)
				switch l := l.(type) {
				case *v1alpha1.WebhookEndpointList:
					for i := range l.Items {
						l.Items[i].Spec.Receiver = &v1alpha1.Receiver{Autoscaling: v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}}
					}
				case *appsv1.DeploymentList:
					for i := range l.Items {
						l.Items[i].Spec.Replicas = &tc.cached
					}
				}
				return err
			}
			_, err := byHand(t, funcs).Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}})
			if err == nil || slices.Contains(applied, "Deployment") {
				t.Errorf("applied %v, error %v", applied, err)
			}
		})
	}
}
