package apply_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
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
