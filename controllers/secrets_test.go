package controllers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// testASecretIsRotated expects the new value in the configuration, and nothing in the statuses.
func testASecretIsRotated(t *testing.T) {
	t.Parallel()
	p := served(t, 2)
	running.writes.take(p.namespace)
	s := secret("credentials", "")
	p.edit(s, func() { s.Data["key"] = []byte("second") })
	eventually(t, func() error {
		c, err := p.config()
		if err == nil && !strings.Contains(string(c.Endpoints[0].Provider.Settings), "second") {
			err = errors.New("the old value is in force")
		}
		return err
	})
	eventually(t, func() error {
		var pod corev1.Pod
		if err := p.get("receiver-0", &pod); err != nil {
			return err
		}
		return p.hasHash(&pod)
	})
	want := map[string]int{"apply Secret": 1}
	got := running.writes.take(p.namespace)
	delete(got, "patch receiver-0") // unless the pod was faster
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// testASecretThatTheCacheDoesNotKnow has a pass in which the watch of Secrets is behind that of endpoints.
func testASecretThatTheCacheDoesNotKnow(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	var written *config.Config
	funcs := dry(func(o *unstructured.Unstructured, _ string, _ func() error) error {
		var s corev1.Secret
		if o.GetKind() != "Secret" {
			return nil
		}
		err := apiruntime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &s)
		if err == nil {
			written, err = config.Parse(s.Data[config.FileName])
		}
		return err
	})
	funcs.List = func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
		err := c.List(ctx, l, opts...)
		if known, ok := l.(*metav1.PartialObjectMetadataList); ok {
			known.Items = slices.DeleteFunc(slices.Clone(known.Items), func(o metav1.PartialObjectMetadata) bool { return o.Name == "credentials" })
		}
		return err
	}
	if _, err := byHand(t, funcs).Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}}); err != nil {
		t.Fatal(err)
	}
	if written == nil || written.Endpoints[0].State != config.Active {
		t.Errorf("written: %+v", written)
	}
}
