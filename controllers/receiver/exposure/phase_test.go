package exposure

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
)

const (
	applyIngress = "apply Ingress/mailvane-crm"
	applyRoute   = "apply HTTPRoute/mailvane-crm"
	dropIngress  = "delete Ingress/mailvane-crm"
	dropRoute    = "delete HTTPRoute/mailvane-crm"
)

// TestExpose makes one pass over endpoint mail/crm, of which there are objects from before.
func TestExpose(t *testing.T) {
	t.Parallel()
	denied := apierrors.NewForbidden(networkingv1.Resource("ingresses"), "any", errors.New("no"))
	elsewhere := by("Ingress")
	elsewhere.Host = "old.example.com"
	annotated := by("Ingress")
	annotated.Ingress.Annotations = map[string]string{"nginx.ingress.kubernetes.io/server-snippet": "any"}
	for name, tc := range map[string]struct {
		reason   string
		exposure *v1alpha1.Exposure
		ingress  *v1alpha1.Exposure // that there is an Ingress of
		address  string             // of that Ingress
		route    *v1alpha1.Exposure // that there is an HTTPRoute of
		accepted string             // what the Gateway says of that route
		change   func(p *Phase, e *Endpoint)
		refuse   map[string]error
		foreign  map[string]bool

		requests []string
		finding  string
		after    time.Duration
		fails    bool
	}{
		"not asked for":        {reason: "it is reached in the cluster alone"},
		"no longer asked for":  {reason: "what leads to it goes", ingress: by("Ingress"), route: by("HTTPRoute"), requests: []string{dropIngress, dropRoute}},
		"first pass":           {reason: "no controller has seen it", exposure: by("Ingress"), requests: []string{applyIngress}, finding: v1alpha1.ReasonIngressPending},
		"with an address":      {reason: "its controller has reported one", exposure: by("Ingress"), ingress: by("Ingress"), address: "lb.example.com", requests: []string{applyIngress}},
		"without an address":   {reason: "some report none: it is looked at again for what it may replace", exposure: by("Ingress"), ingress: by("Ingress"), requests: []string{applyIngress}, finding: v1alpha1.ReasonIngressPending, after: 4 * time.Minute},
		"first route":          {reason: "no Gateway has seen it", exposure: by("HTTPRoute"), requests: []string{applyRoute}, finding: v1alpha1.ReasonRoutePending},
		"a route, accepted":    {reason: "", exposure: by("HTTPRoute"), route: by("HTTPRoute"), accepted: "True", requests: []string{applyRoute}},
		"a route, rejected":    {reason: "", exposure: by("HTTPRoute"), route: by("HTTPRoute"), accepted: "False", requests: []string{applyRoute}, finding: v1alpha1.ReasonRouteRefused},
		"to a route, silent":   {reason: "the Ingress serves until the Gateway does", exposure: by("HTTPRoute"), ingress: by("Ingress"), requests: []string{applyRoute}, finding: v1alpha1.ReasonRoutePending},
		"to a route, rejected": {reason: "the Ingress serves on", exposure: by("HTTPRoute"), ingress: by("Ingress"), route: by("HTTPRoute"), accepted: "False", requests: []string{applyRoute}, finding: v1alpha1.ReasonRouteRefused},
		"to a route, accepted": {reason: "the Ingress has done its part", exposure: by("HTTPRoute"), ingress: by("Ingress"), route: by("HTTPRoute"), accepted: "True", requests: []string{applyRoute, dropIngress}},
		"to a route elsewhere": {reason: "nobody asks for the former host", exposure: by("HTTPRoute"), ingress: elsewhere, requests: []string{applyRoute, dropIngress}, finding: v1alpha1.ReasonRoutePending},
		"to a refused route": {
			reason: "the Ingress serves on", exposure: by("HTTPRoute"), ingress: by("Ingress"), refuse: map[string]error{"HTTPRoute": denied},
			requests: []string{applyRoute}, finding: v1alpha1.ReasonApplyFailed, fails: true,
		},
		"to an Ingress, silent": {reason: "the route serves for a while", exposure: by("Ingress"), ingress: by("Ingress"), route: by("HTTPRoute"), accepted: "True", requests: []string{applyIngress}, finding: v1alpha1.ReasonIngressPending, after: 4 * time.Minute},
		"to an Ingress, works":  {reason: "the route has done its part", exposure: by("Ingress"), ingress: by("Ingress"), address: "lb.example.com", route: by("HTTPRoute"), accepted: "True", requests: []string{applyIngress, dropRoute}},
		"refused":               {reason: "the queue tries again", exposure: by("Ingress"), refuse: map[string]error{"Ingress": denied}, requests: []string{applyIngress}, finding: v1alpha1.ReasonApplyFailed, fails: true},
		"somebody else's":       {reason: "no watch tells when it goes", exposure: by("Ingress"), foreign: map[string]bool{"Ingress": true}, requests: []string{applyIngress}, finding: v1alpha1.ReasonNameTaken, after: requeue.Foreign},
		"a path that is taken": {
			reason: "requests would reach the other endpoint", exposure: by("Ingress"), ingress: by("Ingress"),
			change:   func(_ *Phase, e *Endpoint) { e.PathConflict = condition.Finding{Reason: v1alpha1.ReasonPathConflict} },
			requests: []string{dropIngress}, finding: v1alpha1.ReasonPathConflict,
		},
		"a host that is not allowed": {
			reason: "nor was it ever", exposure: by("Ingress"), ingress: by("Ingress"),
			change:   func(p *Phase, _ *Endpoint) { p.Limits.Hosts = map[string][]string{"mail": {"other.example.com"}} },
			requests: []string{dropIngress}, finding: v1alpha1.ReasonHostNotAllowed,
		},
		"an annotation that is not allowed": {reason: "what is there stays as it was", exposure: annotated, ingress: by("Ingress"), finding: v1alpha1.ReasonNotAllowed, after: 0},
		"no Gateway API": {
			reason: "it may be installed", exposure: by("HTTPRoute"), ingress: by("Ingress"), change: func(p *Phase, _ *Endpoint) { p.Routes = &routes{missing: true} },
			finding: v1alpha1.ReasonGatewayAPINotInstalled, after: routesPoll,
		},
		"not registered": {
			reason: "the first pass may come before the watch", exposure: by("HTTPRoute"), change: func(p *Phase, _ *Endpoint) { p.Routes = nil },
			finding: v1alpha1.ReasonGatewayAPINotInstalled, after: routesPoll,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := endpoint("mail", "crm", tc.exposure)
			there := []client.Object{e}
			if tc.ingress != nil {
				there = append(there, ingressOf(t, endpoint("mail", "crm", tc.ingress), tc.address))
			}
			p, applier := phase(t, interceptor.Funcs{}, there...)
			applier.Refuse, applier.Foreign = tc.refuse, tc.foreign
			if tc.route != nil {
				p.Routes = &routes{items: []unstructured.Unstructured{*routeOf(t, endpoint("mail", "crm", tc.route), tc.accepted)}}
			}
			exposed := Endpoint{WebhookEndpoint: e, Serving: "mailvane-receiver"}
			if tc.change != nil {
				tc.change(p, &exposed)
			}
			result, err := pass(t, p, exposed)
			if diff := cmp.Diff(tc.requests, applier.Requests); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", tc.reason, diff)
			}
			if got := result.Findings["crm"]; got.Reason != tc.finding {
				t.Errorf("%s: got %+v, want %s", tc.reason, got, tc.finding)
			}
			if result.After != tc.after || (err != nil) != tc.fails {
				t.Errorf("%s: looks again after %v, want %v; %v", tc.reason, result.After, tc.after, err)
			}
		})
	}
}

// TestWhereRequestsAreSent exposes an endpoint that is served by the receiver from which it moves.
func TestWhereRequestsAreSent(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Ingress", "HTTPRoute"} {
		e := endpoint("mail", "crm", by(kind))
		p, applier := phase(t, interceptor.Funcs{}, e)
		if _, err := pass(t, p, Endpoint{WebhookEndpoint: e, Serving: "mailvane-crm-receiver"}); err != nil {
			t.Fatal(err)
		}
		text, err := applier.Objects[kind+"/mailvane-crm"].MarshalJSON()
		if err != nil || !strings.Contains(string(text), `"name":"mailvane-crm-receiver"`) {
			t.Errorf("%s: %s, %v", kind, text, err)
		}
	}
}

// TestAnIngressThatOthersAddTo writes an Ingress to which cert-manager has added a path, of which the cache does not know.
func TestAnIngressThatOthersAddTo(t *testing.T) {
	t.Parallel()
	e := endpoint("mail", "crm", by("Ingress"))
	cached, live := ingressOf(t, e, "lb.example.com"), ingressOf(t, e, "lb.example.com")
	live.ResourceVersion = "7"
	paths := &live.Spec.Rules[0].HTTP.Paths
	challenge := (*paths)[0]
	challenge.Path, challenge.Backend.Service = "/.well-known/acme-challenge/x", &networkingv1.IngressServiceBackend{Name: "solver", Port: networkingv1.ServiceBackendPort{Number: 8089}}
	*paths = append(*paths, challenge)
	reads := 0
	funcs := func(err error) interceptor.Funcs {
		return interceptor.Funcs{Get: func(_ context.Context, _ client.WithWatch, _ client.ObjectKey, o client.Object, _ ...client.GetOption) error {
			if ingress, ok := o.(*networkingv1.Ingress); ok {
				reads++
				live.DeepCopyInto(ingress)
			}
			return err
		}}
	}
	p, applier := phase(t, interceptor.Funcs{}, e, cached)
	reader, _ := phase(t, funcs(nil))
	p.Live = reader.Live
	exposed := Endpoint{WebhookEndpoint: e, Serving: "mailvane-receiver"}
	if _, err := pass(t, p, exposed); err != nil {
		t.Fatal(err)
	}
	written := applier.Objects["Ingress/mailvane-crm"]
	text, err := written.MarshalJSON()
	if err != nil || !strings.Contains(string(text), "acme-challenge") || written.GetResourceVersion() != "7" {
		t.Errorf("what others added is lost, or may be: %s, %v", text, err)
	}
	if _, err := pass(t, p, exposed); err != nil || reads != 1 || len(applier.Requests) != 1 {
		t.Errorf("it is as it was written: %d reads, requests %v, %v", reads, applier.Requests, err)
	}
	applier.Edited = map[string]bool{"mailvane-crm": true}
	if _, err := pass(t, p, exposed); err != nil || len(applier.Requests) != 1 {
		t.Errorf("somebody has written the same: requests %v, %v", applier.Requests, err)
	}
	failing, _ := phase(t, funcs(apierrors.NewInternalError(errors.New("etcd"))))
	p.Live, applier.Objects = failing.Live, nil
	result, err := pass(t, p, exposed)
	if f := result.Findings["crm"]; err == nil || f.Reason != v1alpha1.ReasonApplyFailed || len(applier.Requests) != 1 {
		t.Errorf("written although nobody knows what is there: %+v, %v, %v", f, applier.Requests, err)
	}
}

// TestReadFails wants a pass to end before it deletes what it has not seen.
func TestReadFails(t *testing.T) {
	t.Parallel()
	e := endpoint("mail", "crm", by("HTTPRoute"))
	failing := errors.New("no")
	p, _ := phase(t, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return failing }})
	if _, err := p.Read(t.Context(), "mail", nil); !errors.Is(err, failing) {
		t.Errorf("Ingresses: %v", err)
	}
	p, _ = phase(t, interceptor.Funcs{})
	asked := &routes{err: failing}
	p.Routes = asked
	for wants, age := range map[bool]time.Duration{true: routesPoll, false: routesIdlePoll} {
		var endpoints []v1alpha1.WebhookEndpoint
		if wants {
			endpoints = append(endpoints, *e)
		}
		if _, err := p.Read(t.Context(), "mail", endpoints); !errors.Is(err, failing) || asked.maxAge != age {
			t.Errorf("HTTPRoutes: %v, asked for what is known for %v, want %v", err, asked.maxAge, age)
		}
	}
}
