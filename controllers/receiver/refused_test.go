package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/exposure"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// denied returns an answer of the API server.
func denied(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

// refusals are the ways in which an object is not written, as API servers word them.
func refusals() map[string]error {
	const webhook = `admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: ingress contains invalid paths`
	timeout := &url.Error{Op: "Patch", URL: "https://10.96.0.1:443/apis/any?force=true", Err: errors.New("net/http: request canceled (Client.Timeout exceeded)")}
	return map[string]error{
		"400 of a webhook":         denied(http.StatusBadRequest, metav1.StatusReasonBadRequest, webhook),
		"403 of a policy":          apierrors.NewForbidden(schema.GroupResource{Resource: "any"}, "any", errors.New("ingress contains invalid paths")),
		"409 of a webhook":         denied(http.StatusConflict, metav1.StatusReasonConflict, webhook),
		"422 of a rule":            denied(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "ingress contains invalid paths"),
		"429":                      denied(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, "ingress contains invalid paths"),
		"451, which nobody uses":   denied(http.StatusUnavailableForLegalReasons, "", webhook),
		"500: no webhook there":    apierrors.NewInternalError(errors.New(`failed calling webhook "validate.nginx.ingress.kubernetes.io": no endpoints available, ingress contains invalid paths`)),
		"504":                      apierrors.NewTimeoutError("ingress contains invalid paths", 0),
		"no answer":                fmt.Errorf("ingress contains invalid paths: %w", timeout),
		"control characters in it": denied(http.StatusBadRequest, metav1.StatusReasonBadRequest, "\x1b[2J\u009bingress contains invalid paths\n\u202e"),
		"very long":                denied(http.StatusBadRequest, metav1.StatusReasonBadRequest, "ingress contains invalid paths"+strings.Repeat("é", 100_000)),
	}
}

// TestWhatIsRefusedIsSaid has the API server refuse one kind of object at a time, with every code. The endpoint names the object and
// repeats why, and is neither ready nor, where it is its Ingress, exposed.
func TestWhatIsRefusedIsSaid(t *testing.T) {
	t.Parallel()
	for name, err := range refusals() {
		for _, kind := range []string{"Ingress", "Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount", "Secret"} {
			if name != "400 of a webhook" && kind != "Ingress" && kind != "Deployment" { // each code for the two ways of telling it
				continue
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				e := refusedPass(t, kind, err)
				ready := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady)
				exposed := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionExposed)
				about := ready
				if kind == "Ingress" {
					about = exposed
				}
				if ready.Status == metav1.ConditionTrue || about.Status != metav1.ConditionFalse || about.Reason != v1alpha1.ReasonApplyFailed {
					t.Errorf("Ready %s %s, Exposed %s %s", ready.Status, ready.Reason, exposed.Status, exposed.Reason)
				}
				checkWords(t, kind, err, about.Message)
			})
		}
	}
}

// checkWords wants the object, its path, the words and a remedy in a message.
func checkWords(t *testing.T, kind string, err error, message string) {
	t.Helper()
	words := []string{kind + ` "mailvane-`, "Mend what it names"}
	if kind == "Ingress" {
		words = append(words, "/hooks/mail/webex.connect", "hooks.example.com", "spec.path")
	}
	if _, unanswered := errors.AsType[*url.Error](err); !unanswered && kind != "Secret" {
		words = append(words, "ingress contains invalid paths")
	}
	for _, word := range words {
		if !strings.Contains(message, word) {
			t.Errorf("%q is not in: %s", word, message)
		}
	}
	if len(message) > 1024 || strings.ContainsAny(message, "\x1b\n\u009b\u202e") {
		t.Errorf("message of %d bytes: %q", len(message), message)
	}
}

// TestASecretThatIsRefusedIsNotQuoted has a webhook quote what it refuses.
func TestASecretThatIsRefusedIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, by := range []string{`admission webhook "any.example.com" denied the request: `, `ValidatingAdmissionPolicy 'any' with binding 'any' denied request: `} {
		e := refusedPass(t, "Secret", denied(http.StatusBadRequest, metav1.StatusReasonBadRequest, by+`data "s3cret" is not allowed`))
		c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady)
		if strings.Contains(c.Message, "s3cret") || !strings.Contains(c.Message, "any") {
			t.Errorf("message: %s", c.Message)
		}
	}
}

// loadedPods are pods that have loaded whatever there is.
type loadedPods struct{ hash func() string }

func (p loadedPods) Loaded(context.Context, *corev1.Pod, string) (config.Loaded, error) {
	return config.Loaded{Hash: p.hash()}, nil
}

// writtenHash returns the hash of the shared receiver's configuration.
func writtenHash(t *testing.T, c client.Reader) string {
	t.Helper()
	var secret corev1.Secret
	if err := c.Get(context.Background(), client.ObjectKey{Namespace: "mail", Name: children.ConfigSecretName(children.Name)}, &secret); client.IgnoreNotFound(err) != nil {
		t.Error(err)
	}
	return secret.Annotations[children.ConfigHashAnnotation]
}

// refusedPass runs passes over an endpoint with a pod while objects of one kind are refused, and returns the endpoint.
func refusedPass(t *testing.T, kind string, refusal error) *v1alpha1.WebhookEndpoint {
	t.Helper()
	types := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(types), v1alpha1.AddToScheme(types)); err != nil {
		t.Fatal(err)
	}
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.Generation, e.UID = "mail", "webex.connect", 1, "1"
	e.Spec = v1alpha1.WebhookEndpointSpec{
		Provider: v1alpha1.Provider{Type: v1alpha1.WebexConnect, WebexConnect: &v1alpha1.WebexConnectProvider{
			HubSecretRefs: []v1alpha1.SecretKeyReference{{Name: "webexconnect", Key: "hubSecret"}},
		}},
		Exposure: &v1alpha1.Exposure{Host: "hooks.example.com", Ingress: &v1alpha1.IngressExposure{ClassName: "nginx"}},
		Routes:   []v1alpha1.Route{{Name: "all", SinkRef: v1alpha1.SinkReference{Name: "console"}}},
	}
	sink := &v1alpha1.EventSink{Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkStdout}}
	sink.Namespace, sink.Name = "mail", "console"
	credentials := &corev1.Secret{Data: map[string][]byte{"hubSecret": []byte("hubsecret-hubsecret")}}
	credentials.Namespace, credentials.Name = "mail", "webexconnect"
	pod := &corev1.Pod{Status: corev1.PodStatus{PodIP: "192.0.2.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	pod.Namespace, pod.Name, pod.Labels = "mail", "receiver-0", children.Labels(children.Name)
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: children.Name, UID: "1", Controller: new(true)}}
	index := func(o client.Object) []string {
		endpoint, ok := o.(*v1alpha1.WebhookEndpoint)
		if !ok {
			return nil
		}
		return []string{exposure.At(endpoint)}
	}
	inner := fake.NewClientBuilder().WithScheme(types).WithObjects(e, sink, credentials, pod).WithReturnManagedFields().
		WithStatusSubresource(&v1alpha1.WebhookEndpoint{}, &v1alpha1.EventSink{}, &networkingv1.Ingress{}).
		WithIndex(&v1alpha1.WebhookEndpoint{}, exposure.URLIndex, index).Build()
	refusing := interceptor.NewClient(inner, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			switch o.(interface{ GetKind() string }).GetKind() {
			case kind:
				return refusal
			case "Secret":
				return c.Apply(ctx, o, opts...)
			default: // of what nobody reads
				return nil
			}
		},
	})
	r := New(Options{
		Client: refusing, Live: inner, Recorder: events.NewFakeRecorder(100), Now: time.Now,
		Pods:     loadedPods{func() string { return writtenHash(t, inner) }},
		Receiver: children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system"},
	})
	request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "mail", Name: children.Name}}
	var failed []error
	for range 3 {
		_, err := r.Reconcile(t.Context(), request)
		failed = append(failed, err)
	}
	if !slices.ContainsFunc(failed, func(err error) bool { return errors.Is(err, refusal) }) {
		t.Errorf("the queue is not told: %v", failed)
	}
	if err := inner.Get(t.Context(), client.ObjectKeyFromObject(e), e); err != nil {
		t.Fatal(err)
	}
	return e
}
