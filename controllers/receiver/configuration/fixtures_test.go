package configuration

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply/applytest"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
)

const own = "mailvane-crm-receiver"

func sink(name string) v1alpha1.EventSink {
	s := v1alpha1.EventSink{Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkStdout}}
	s.Namespace, s.Name, s.UID, s.Generation = "mail", name, types.UID("sink "+name), 1
	return s
}

// endpoint returns one with its own receiver.
func endpoint(name, to string) v1alpha1.WebhookEndpoint {
	e := v1alpha1.WebhookEndpoint{Spec: v1alpha1.WebhookEndpointSpec{
		Provider: v1alpha1.Provider{Type: v1alpha1.EmailEngine, EmailEngine: &v1alpha1.EmailEngineProvider{
			ServiceSecretRefs: []v1alpha1.SecretKeyReference{{Name: "credentials", Key: "key"}},
		}},
		Receiver: &v1alpha1.Receiver{},
		Routes:   []v1alpha1.Route{{Name: "all", SinkRef: v1alpha1.SinkReference{Name: to}, Filter: "true"}},
	}}
	e.Namespace, e.Name, e.UID, e.Generation = "mail", name, types.UID("endpoint "+name), 1
	return e
}

func secret(name, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: name}, Data: map[string][]byte{"key": []byte(value), "handoff.key": []byte("6b6579")}}
}

// cluster makes passes over namespace mail.
type cluster struct {
	applier applytest.Applier
	phase   Phase
	in      Input
	reads   []string // names of Secrets, and "list"
	fail    func(name string) error
}

// newCluster returns one with endpoint crm, which leads to the first sink, and the Secrets that exist.
func newCluster(sinks ...v1alpha1.EventSink) *cluster {
	c := &cluster{fail: func(string) error { return nil }}
	api := fake.NewClientBuilder().WithObjects(secret("credentials", "0123456789abcdef"), secret(children.ConfigSecretName(own), "")).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
				c.reads = append(c.reads, key.Name)
				if err := c.fail(key.Name); err != nil {
					return err
				}
				return w.Get(ctx, key, o, options...)
			},
			List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				c.reads = append(c.reads, "list")
				return w.List(ctx, list, options...)
			},
		}).Build()
	c.phase = Phase{Applier: &c.applier, Live: api}
	c.in = Input{
		Namespace: "mail", Endpoints: []v1alpha1.WebhookEndpoint{endpoint("crm", sinks[0].Name)}, Sinks: sinks,
		SecretVersions: map[string]string{"credentials": "1"}, Objects: inventory.Objects{},
	}
	return c
}

// restart forgets everything, as a new manager does.
func (c *cluster) restart() { c.phase = Phase{Applier: &c.applier, Live: c.phase.Live} }

// cached returns the metadata of a Secret of receiver own, with which the cache comes to know it.
func (c *cluster) cached(name string, annotations map[string]string) *metav1.PartialObjectMetadata {
	object := inventory.MetadataOf(corev1.SchemeGroupVersion.WithKind("Secret"))
	object.Namespace, object.Name, object.Labels, object.Annotations = "mail", name, children.Labels(own), annotations
	c.in.Objects[inventory.SecretID(name)] = object
	return object
}

// sync has the cache see what was written.
func (c *cluster) sync() {
	for _, o := range c.applier.Objects {
		annotations := o.GetAnnotations()
		if o.GetName() == children.ConfigSecretName(own) {
			annotations[children.HandoffKeyAnnotation] = "made"
		}
		c.cached(o.GetName(), annotations)
	}
}

// pass returns what one pass writes and reads.
func (c *cluster) pass(t *testing.T) (Written, []string, error) {
	t.Helper()
	c.in.Receivers = plan.Receivers(plan.Input{Namespace: "mail", Endpoints: c.in.Endpoints})
	c.applier.Requests, c.reads = nil, nil
	result, refused, err := c.phase.Write(t.Context(), c.in)
	w := result.Receivers[own]
	if w.Refused.Reason == v1alpha1.ReasonNameTaken != (result.After == requeue.Foreign) {
		t.Errorf("looks again after %v", result.After)
	}
	return w, c.applier.Requests, errors.Join(refused, err)
}
