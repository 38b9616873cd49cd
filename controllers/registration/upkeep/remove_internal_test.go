package upkeep

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/registration"
)

// standsIn is an account at a provider that fails as it is told to.
type standsIn struct {
	err  error
	urls []string
}

func (a *standsIn) List(context.Context) ([]registration.Webhook, error) {
	all := make([]registration.Webhook, len(a.urls))
	for i := range a.urls {
		all[i].URL = a.urls[i]
	}
	return all, a.err
}

func (a *standsIn) Create(_ context.Context, w registration.Wanted) (registration.Webhook, error) {
	a.urls = append(a.urls, w.URL)
	return registration.Webhook{URL: w.URL}, a.err
}

func (a *standsIn) Delete(_ context.Context, w registration.Webhook) error {
	a.urls = slices.DeleteFunc(a.urls, func(u string) bool { return u == w.URL })
	return a.err
}

// reconciler returns one over objects, whose provider is an account.
func reconciler(t *testing.T, a *standsIn, now time.Time, objects ...client.Object) (*Reconciler, *events.FakeRecorder) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.WebhookEndpoint{}).Build()
	recorder := events.NewFakeRecorder(10)
	return New(Options{
		Client: c, Live: c, Recorder: recorder, Transport: http.DefaultTransport, Interval: time.Hour, Results: NewResults(), Now: func() time.Time { return now },
		Vendors: map[string]registration.Vendor{"MailChannels": {
			Open: func(registration.Account, registration.Doer) registration.API { return a }, Bases: map[string]string{"": "https://api.example.com"},
		}},
	}), recorder
}

func apiKey() *corev1.Secret {
	s := &corev1.Secret{Data: map[string][]byte{"key": []byte("LEAK-api-key")}}
	s.Namespace, s.Name = "mail", "api"
	return s
}

func request(e *v1alpha1.WebhookEndpoint) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e)}
}

// TestRemoval deletes endpoints. Nothing keeps one for ever, and what is left at the provider is said.
func TestRemoval(t *testing.T) {
	t.Parallel()
	down := &registration.Error{Kind: registration.Unavailable, Words: "down"}
	refused := &registration.Error{Kind: registration.Unauthorized, Status: 401}
	for name, tc := range map[string]struct {
		reason  string
		err     error
		after   time.Duration // since the deletion
		objects []client.Object
		gone    bool
		event   string
		left    int
	}{
		"removed":          {"", nil, 0, []client.Object{apiKey()}, true, "", 1},
		"down":             {"it may come back", down, time.Minute, []client.Object{apiKey()}, false, "", 2},
		"down for long":    {"nobody knows when it comes back", down, patience, []client.Object{apiKey()}, true, "cannot be asked: down", 2},
		"refused":          {"somebody may mend the key", refused, time.Minute, []client.Object{apiKey()}, false, "", 2},
		"refused for long": {"nobody does", refused, patience, []client.Object{apiKey()}, true, "does not take the API key", 2},
		"without a key":    {"it went first, as in a namespace that is deleted", nil, 0, nil, true, `Secret "api" does not exist`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := endpoint("True")
			e.Spec.Registration.DeletionPolicy = v1alpha1.RegistrationDelete
			e.Finalizers = []string{Finalizer, "example.com/other"}
			deleted := metav1.NewTime(noon())
			e.DeletionTimestamp = &deleted
			a := &standsIn{err: tc.err, urls: []string{"https://other.example.com", e.Status.URL}}
			r, recorder := reconciler(t, a, noon().Add(tc.after), append(tc.objects, e)...)
			result, err := r.Reconcile(t.Context(), request(e))
			if err != nil {
				t.Fatal(err)
			}
			var now v1alpha1.WebhookEndpoint
			if err := r.Client.Get(t.Context(), request(e).NamespacedName, &now); err != nil {
				t.Fatal(err)
			}
			if gone := !slices.Contains(now.Finalizers, Finalizer); gone != tc.gone || gone == (result.RequeueAfter > 0) || !slices.Contains(now.Finalizers, "example.com/other") {
				t.Errorf("%s: finalizers %v, again in %v", tc.reason, now.Finalizers, result.RequeueAfter)
			}
			event := ""
			select {
			case event = <-recorder.Events:
			default:
			}
			if (event != "") != (tc.event != "") || !strings.Contains(event, tc.event) || strings.Contains(event, "LEAK") || len(a.urls) != tc.left {
				t.Errorf("%s: event %q, left %v", tc.reason, event, a.urls)
			}
		})
	}
}

// TestTheFinalizer is there with Delete alone, and goes when the policy changes.
func TestTheFinalizer(t *testing.T) {
	t.Parallel()
	e := endpoint("")
	e.Finalizers = []string{"example.com/other"}
	r, _ := reconciler(t, &standsIn{}, noon(), e, apiKey())
	for _, policy := range []v1alpha1.RegistrationDeletionPolicy{v1alpha1.RegistrationRetain, v1alpha1.RegistrationDelete, v1alpha1.RegistrationDelete, v1alpha1.RegistrationRetain, ""} {
		var now v1alpha1.WebhookEndpoint
		if err := r.Client.Get(t.Context(), request(e).NamespacedName, &now); err != nil {
			t.Fatal(err)
		}
		now.Spec.Registration = &v1alpha1.Registration{APIKeyRef: e.Spec.Registration.APIKeyRef, DeletionPolicy: policy}
		if policy == "" {
			now.Spec.Registration = nil
		}
		if err := r.Client.Update(t.Context(), &now); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Reconcile(t.Context(), request(e)); err != nil {
			t.Fatal(err)
		}
		if err := r.Client.Get(t.Context(), request(e).NamespacedName, &now); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(now.Finalizers, Finalizer); got != (policy == v1alpha1.RegistrationDelete) || !slices.Contains(now.Finalizers, "example.com/other") {
			t.Errorf("%s: %v", policy, now.Finalizers)
		}
	}
}

// TestAnEndpointThatIsGone is forgotten.
func TestAnEndpointThatIsGone(t *testing.T) {
	t.Parallel()
	e := endpoint("")
	r, _ := reconciler(t, &standsIn{}, noon())
	r.schedule.next(e, "a", &attempt{}, noon())
	if _, err := r.Reconcile(t.Context(), request(e)); err != nil || len(r.schedule.visits) > 0 {
		t.Errorf("%v, it remembers %d", err, len(r.schedule.visits))
	}
	if _, err := r.version(t.Context(), "mail", "none"); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

// TestOneAtATime has an account at which somebody is: the endpoint comes back soon, and nobody waits.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	e := endpoint("")
	e.Generation = 1
	e.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionProgrammed, Status: "True", ObservedGeneration: 1}}
	a := &standsIn{}
	r, _ := reconciler(t, a, noon(), e, apiKey())
	leave, _ := r.accounts.enter(newAccountID("MailChannels", "https://api.example.com", "", "LEAK-api-key"), noon())
	result, err := r.Reconcile(t.Context(), request(e))
	if err != nil || result.RequeueAfter < busyDelay || result.RequeueAfter > 2*busyDelay || len(a.urls) > 0 {
		t.Errorf("beside another: %+v, %v, has %v", result, err, a.urls)
	}
	leave()
	if result, err = r.Reconcile(t.Context(), request(e)); err != nil || result.RequeueAfter < time.Hour || len(a.urls) != 1 {
		t.Errorf("alone: %+v, %v, has %v", result, err, a.urls)
	}
	if f, known := r.Results.Of(e.UID); !known || !f.OK() {
		t.Errorf("found %+v", f)
	}
	select {
	case change := <-r.Results.Changes():
		if change.Object.GetName() != e.Name {
			t.Errorf("tells of %s", change.Object.GetName())
		}
	default:
		t.Error("it tells nobody")
	}
}
