package exposure

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
)

// TestWhoHasAHost has endpoint mail/crm at the host and path of others.
func TestWhoHasAHost(t *testing.T) {
	t.Parallel()
	shared := func(kind string) *v1alpha1.Exposure { return by(kind) }
	other := func(namespace, name string, age time.Duration) *v1alpha1.WebhookEndpoint {
		o := endpoint(namespace, name, shared("Ingress"))
		o.CreationTimestamp, o.Spec.Path = metav1.NewTime(at().Add(-age)), "/shared"
		return o
	}
	const older, younger = 2 * time.Hour, time.Minute
	mine := other("mail", "crm", time.Hour)
	for name, tc := range map[string]struct {
		reason  string
		path    string
		others  []*v1alpha1.WebhookEndpoint
		exists  []*v1alpha1.WebhookEndpoint // those with an Ingress
		routes  []*v1alpha1.WebhookEndpoint // those with an HTTPRoute
		claims  map[string]string
		finding string
		after   time.Duration
	}{
		"alone":                       {reason: "as nearly always", finding: v1alpha1.ReasonIngressPending},
		"a younger one":               {reason: "the oldest gets it", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", younger)}, finding: v1alpha1.ReasonIngressPending},
		"an older one":                {reason: "the oldest gets it", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", older)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"one of the same age":         {reason: "the first by name gets it", others: []*v1alpha1.WebhookEndpoint{other("apps", "crm", time.Hour)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"one of the same namespace":   {reason: "it is the older one", others: []*v1alpha1.WebhookEndpoint{other("mail", "abc", older)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"a younger one that has it":   {reason: "an edit of an older one does not take it away", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", younger)}, exists: []*v1alpha1.WebhookEndpoint{other("sales", "crm", younger)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"a younger one with a route":  {reason: "the same by a Gateway", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", younger)}, routes: []*v1alpha1.WebhookEndpoint{other("sales", "crm", younger)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"an older one, I have it":     {reason: "it came later to this host", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", older)}, exists: []*v1alpha1.WebhookEndpoint{mine}, finding: v1alpha1.ReasonIngressPending, after: 4 * time.Minute},
		"both have it":                {reason: "the oldest keeps it", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", older)}, exists: []*v1alpha1.WebhookEndpoint{mine, other("sales", "crm", older)}, finding: v1alpha1.ReasonHostConflict, after: requeue.Foreign},
		"an older one that waits":     {reason: "the namespace has claimed it", others: []*v1alpha1.WebhookEndpoint{other("sales", "crm", older)}, claims: map[string]string{"hooks.example.com/shared": "mail"}, finding: v1alpha1.ReasonIngressPending},
		"claimed by another":          {reason: "its endpoint may come back", claims: map[string]string{"hooks.example.com/shared": "sales"}, finding: v1alpha1.ReasonHostReserved, after: requeue.Foreign},
		"claimed, and reserved by me": {reason: "a path below the namespace needs no claim", path: "/hooks/mail/x", claims: map[string]string{"hooks.example.com/hooks/mail/x": "sales"}, finding: v1alpha1.ReasonIngressPending},
		"reserved by another":         {reason: "", path: "/hooks/sales/x", finding: v1alpha1.ReasonHostNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := mine.DeepCopy()
			if tc.path != "" {
				e.Spec.Path = tc.path
			}
			objects := []client.Object{e}
			for _, o := range tc.others {
				objects = append(objects, o)
			}
			for _, o := range tc.exists {
				objects = append(objects, ingressOf(t, o, ""))
			}
			p, _ := phase(t, interceptor.Funcs{}, objects...)
			found := &routes{}
			for _, o := range tc.routes {
				o.Spec.Exposure = shared("HTTPRoute")
				found.items = append(found.items, *routeOf(t, o, "True"))
			}
			p.Routes = found
			for url, namespace := range tc.claims {
				if _, err := p.Claims.hold(t.Context(), url, namespace, func(string) bool { return true }); err != nil {
					t.Fatal(err)
				}
			}
			result, err := pass(t, p, Endpoint{WebhookEndpoint: e, Serving: "mailvane-receiver"})
			if f := result.Findings["crm"]; err != nil || f.Reason != tc.finding || result.After != tc.after {
				t.Errorf("%s: %+v, looks again after %v; %v", tc.reason, f, result.After, err)
			}
		})
	}
}

// TestAClaimThatIsNotWritten has two managers note something at the same time, as a new one may with the one that it replaces.
func TestAClaimThatIsNotWritten(t *testing.T) {
	t.Parallel()
	conflict := &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonConflict}}
	var refusal error
	refuse := interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if refusal != nil {
				return refusal
			}
			return c.Update(ctx, o, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if refusal != nil {
				return refusal
			}
			return c.Create(ctx, o, opts...)
		},
	}
	e := endpoint("mail", "crm", by("Ingress"))
	e.Spec.Path = "/shared"
	p, applier := phase(t, refuse, e)
	p.Limits = limits.Default()
	exposed := Endpoint{WebhookEndpoint: e, Serving: "mailvane-receiver"}
	refusal = conflict
	for range 2 { // the second time it is not thought to be noted
		result, err := pass(t, p, exposed)
		if f := result.Findings["crm"]; !errors.Is(err, conflict) || f.Reason != v1alpha1.ReasonApplyFailed || len(applier.Requests) != 0 {
			t.Errorf("%+v, %v, %v", f, err, applier.Requests)
		}
	}
	refusal = nil
	if _, err := pass(t, p, exposed); err != nil || len(applier.Requests) != 1 {
		t.Errorf("%v, %v", err, applier.Requests)
	}
}
