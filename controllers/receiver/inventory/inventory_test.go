package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// meta returns that of an object of namespace mail; one of a receiver when that is not empty.
func meta(name, receiver string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "mail", Name: name}
	if receiver != "" {
		m.Labels = children.Labels(receiver)
	}
	return m
}

func going(m metav1.ObjectMeta) metav1.ObjectMeta {
	m.DeletionTimestamp, m.Finalizers = &metav1.Time{Time: time.Unix(1_000, 0)}, []string{"example.com/any"}
	return m
}

func pod(m metav1.ObjectMeta, owner string) *corev1.Pod {
	if owner != "" {
		m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: owner, UID: "1", Controller: new(true)}}
	}
	return &corev1.Pod{ObjectMeta: m}
}

// cluster returns a cache with objects of namespace mail, and some that look alike.
func cluster(t *testing.T, funcs interceptor.Funcs) client.Client {
	t.Helper()
	kinds := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(kinds), v1alpha1.AddToScheme(kinds)); err != nil {
		t.Fatal(err)
	}
	endpoint := func(m metav1.ObjectMeta, secret string) *v1alpha1.WebhookEndpoint {
		return &v1alpha1.WebhookEndpoint{ObjectMeta: m, Spec: v1alpha1.WebhookEndpointSpec{
			Provider: v1alpha1.Provider{Type: v1alpha1.EmailEngine, EmailEngine: &v1alpha1.EmailEngineProvider{
				ServiceSecretRefs: []v1alpha1.SecretKeyReference{{Name: secret, Key: "key"}},
			}},
		}}
	}
	other := meta("other", "")
	other.Namespace = "sales"
	return fake.NewClientBuilder().WithScheme(kinds).WithInterceptorFuncs(funcs).WithObjects(
		endpoint(meta("a", ""), "credentials"), endpoint(meta("b", ""), "missing"), endpoint(meta("c", ""), "r-config"), endpoint(going(meta("d", "")), "of-d"), endpoint(other, "of-other"),
		&v1alpha1.EventSink{ObjectMeta: meta("crm", "")}, &v1alpha1.EventSink{ObjectMeta: going(meta("old", ""))},
		&corev1.Secret{ObjectMeta: meta("credentials", "")}, &corev1.Secret{ObjectMeta: meta("unused", "")}, &corev1.Secret{ObjectMeta: meta("r-config", "r")},
		&corev1.Service{ObjectMeta: meta("r", "r")}, &corev1.Service{ObjectMeta: meta("manager", "")},
		&appsv1.Deployment{ObjectMeta: meta("r", "r"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}, Status: appsv1.DeploymentStatus{AvailableReplicas: 1}},
		&appsv1.Deployment{ObjectMeta: meta("manager", ""), Spec: appsv1.DeploymentSpec{Replicas: new(int32(1))}, Status: appsv1.DeploymentStatus{AvailableReplicas: 1}},
		&appsv1.StatefulSet{ObjectMeta: meta("s", "s"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(2))}},
		pod(meta("s-1", "s"), "s"), pod(meta("s-0", "s"), "s"), pod(going(meta("r-0", "r")), "r"), pod(meta("by-hand", "s"), ""), pod(meta("any", ""), "any"),
	).Build()
}

func TestRead(t *testing.T) {
	t.Parallel()
	found, err := inventory.Read(t.Context(), cluster(t, interceptor.Funcs{}), "mail")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{"HasPods": found.HasPods, "Workloads": found.Workloads}
	var endpoints, sinks, pods []string
	for i := range found.Endpoints {
		endpoints = append(endpoints, found.Endpoints[i].Name)
	}
	for i := range found.Sinks {
		sinks = append(sinks, found.Sinks[i].Name)
	}
	for receiver, all := range found.Pods {
		for i := range all {
			pods = append(pods, receiver+": "+all[i].Name)
		}
	}
	objects := map[string]string{}
	for id, object := range found.Objects {
		objects[id.Kind.String()+"/"+id.Name] = object.Kind
	}
	versions := map[string]bool{}
	for name, version := range found.SecretVersions {
		versions[name] = version != ""
	}
	got["endpoints"], got["sinks"], got["pods"], got["objects"], got["versions"] = endpoints, sinks, pods, objects, versions
	want := map[string]any{
		"endpoints": []string{"a", "b", "c"}, // not what is about to go, nor of another namespace
		"sinks":     []string{"crm"},
		"versions":  map[string]bool{"credentials": true, "missing": false}, // no configuration, which would contain itself
		"objects":   map[string]string{"Secret/r-config": "Secret", "Service/r": "Service", "Deployment.apps/r": "Deployment", "StatefulSet.apps/s": "StatefulSet"},
		"Workloads": inventory.Workloads{inventory.WorkloadID("Deployment", "r"): {Available: true, Replicas: 3}, inventory.WorkloadID("StatefulSet", "s"): {Replicas: 2}},
		"pods":      []string{"s: s-0", "s: s-1"}, // sorted, and made by the workload
		"HasPods":   map[string]bool{"r": true, "s": true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !found.Workloads.Available("r") || found.Workloads.Available("s") || found.Workloads.Available("manager") {
		t.Error("which receivers are available")
	}
	if secret := found.Objects.ConfigSecret("r"); secret == nil || found.Objects.SecretVersion("r-config") == "" || found.Objects.SecretVersion("missing") != "" {
		t.Errorf("the configuration: %+v", secret)
	}
}

// TestReadFails wants every list that fails to end the pass: what is not known must not count as gone.
func TestReadFails(t *testing.T) {
	t.Parallel()
	for failing := range 12 {
		n := 0
		c := cluster(t, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			if n++; n == failing+1 {
				return errors.New("no")
			}
			return c.List(ctx, list, options...)
		}})
		if _, err := inventory.Read(t.Context(), c, "mail"); (err != nil) != (n == failing+1) {
			t.Errorf("list %d of %d: %v", failing+1, n, err)
		} else if err == nil && n < 9 {
			t.Errorf("only %d lists", n)
		}
	}
}

// TestIDs are the same for a configuration and for the object that it is of.
func TestIDs(t *testing.T) {
	t.Parallel()
	r := children.Receiver{Namespace: "mail", Name: "r"}
	for _, object := range r.Render(children.Options{}) {
		if id := inventory.IDOf(object); id.Name == "" || id.Kind.Kind == "" {
			t.Errorf("%T has no ID", object)
		}
	}
	if got := inventory.IDOf(corev1ac.Secret("x", "mail")); got != inventory.SecretID("x") {
		t.Error(got)
	}
	if got := inventory.IDOf(nil); got != (inventory.ID{}) {
		t.Error(got)
	}
}

// TestWhoseAnObjectIs has objects with some of the labels of ours.
func TestWhoseAnObjectIs(t *testing.T) {
	t.Parallel()
	without := children.Labels("r")
	delete(without, children.ManagedByLabel)
	for want, labels := range map[string]map[string]string{"r": children.Labels("r"), "": without} {
		if got := inventory.ReceiverOf(&metav1.ObjectMeta{Labels: labels}); got != want {
			t.Errorf("%s: %s", fmt.Sprint(labels), got)
		}
	}
	if got := inventory.ReceiverOf(&metav1.ObjectMeta{}); got != "" {
		t.Error(got)
	}
}
