package apply_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// TestWhatIsForeignIsLeft meets objects of the name that the manager wants, which only the API server knows of.
func TestWhatIsForeignIsLeft(t *testing.T) {
	t.Parallel()
	ours := map[string]string{children.ManagedByLabel: children.ManagedByValue}
	isController := true
	owner := []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "other", UID: "1", Controller: &isController}}
	cases := map[string]struct {
		reason  string
		there   *metav1.ObjectMeta
		foreign bool
	}{
		"nothing":        {"it is created", nil, false},
		"our label":      {"an earlier manager wrote it", &metav1.ObjectMeta{Labels: ours}, false},
		"no label":       {"a person wrote it", &metav1.ObjectMeta{}, true},
		"has controller": {"somebody else looks after it, whatever its labels say", &metav1.ObjectMeta{Labels: ours, OwnerReferences: owner}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fake.NewClientBuilder()
			if tc.there != nil {
				tc.there.Name, tc.there.Namespace = "receiver", "mail"
				b = b.WithObjects(&corev1.Service{ObjectMeta: *tc.there})
			}
			c := b.Build()
			wanted := corev1ac.Service("receiver", "mail").WithLabels(ours).WithAnnotations(map[string]string{"applied": "yes"})
			err := apply.New(c, c).Apply(t.Context(), wanted, nil)
			foreign, isForeign := errors.AsType[*apply.ForeignError](err)
			if isForeign != tc.foreign || (err != nil) != tc.foreign || (isForeign && foreign.Kind != "Service") {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			var now corev1.Service
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: "mail", Name: "receiver"}, &now); err != nil {
				t.Fatal(err)
			}
			if applied := now.Annotations["applied"] != ""; applied == tc.foreign {
				t.Errorf("%s: applied is %t", tc.reason, applied)
			}
		})
	}
}

func TestDeleteLeavesWhatIsForeign(t *testing.T) {
	t.Parallel()
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "receiver", UID: "1"}}
	c := fake.NewClientBuilder().WithObjects(foreign).Build()
	object := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: foreign.ObjectMeta}
	if err := apply.New(c, c).Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(foreign), &corev1.Service{}); err != nil {
		t.Errorf("it is gone: %v", err)
	}
}

// TestSeed writes once, under a name of its own, and nothing that is somebody else's.
func TestSeed(t *testing.T) {
	t.Parallel()
	ours := map[string]string{children.ManagedByLabel: children.ManagedByValue}
	seed := func(value string) *corev1ac.SecretApplyConfiguration {
		return corev1ac.Secret("config", "mail").WithLabels(ours).WithAnnotations(map[string]string{"seeded": "yes"}).
			WithData(map[string][]byte{"key": []byte(value)})
	}
	c := fake.NewClientBuilder().Build()
	a := apply.New(c, c)
	read := func() map[string][]byte {
		t.Helper()
		var s corev1.Secret
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "mail", Name: "config"}, &s); err != nil {
			t.Fatal(err)
		}
		return s.Data
	}
	for _, value := range []string{"first", "second"} {
		if err := a.Seed(t.Context(), seed(value), "seeded"); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Apply(t.Context(), corev1ac.Secret("config", "mail").WithLabels(ours).WithData(map[string][]byte{"document": []byte("{}")}), nil); err != nil {
		t.Fatal(err)
	}
	if got := read(); string(got["key"]) != "first" || string(got["document"]) != "{}" {
		t.Errorf("%q", got)
	}

	foreign := fake.NewClientBuilder().WithObjects(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "config"}}).Build()
	if _, is := errors.AsType[*apply.ForeignError](apply.New(foreign, foreign).Seed(t.Context(), seed("first"), "seeded")); !is {
		t.Error("it was taken over")
	}
}

// TestWhatAnEndpointOwnsIsOurs updates and deletes an object that a WebhookEndpoint controls.
func TestWhatAnEndpointOwnsIsOurs(t *testing.T) {
	t.Parallel()
	isController := true
	there := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Namespace: "mail", Name: "receiver", UID: "1", Labels: map[string]string{children.ManagedByLabel: children.ManagedByValue},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "mailvane.dev/v1alpha1", Kind: "WebhookEndpoint", Name: "crm", UID: "2", Controller: &isController}},
	}}
	c := fake.NewClientBuilder().WithObjects(there).Build()
	a := apply.New(c, c)
	if err := a.Apply(t.Context(), corev1ac.Service("receiver", "mail").WithLabels(there.Labels), nil); err != nil {
		t.Fatal(err)
	}
	object := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: there.ObjectMeta}
	object.ResourceVersion = ""
	if err := a.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(there), &corev1.Service{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is there: %v", err)
	}
}
