package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// routes returns the state and the routes of the only endpoint of the shared receiver.
func (p *place) routes() (state string, routes []config.Route, err error) {
	c, err := p.config()
	if err != nil {
		return "", nil, err
	}
	if len(c.Endpoints) != 1 {
		return "", nil, fmt.Errorf("%d endpoints", len(c.Endpoints))
	}
	return c.Endpoints[0].State, c.Endpoints[0].Routes, nil
}

// conditions returns those of an endpoint as "status reason".
func (p *place) conditions(name string) map[string]string {
	p.t.Helper()
	var e v1alpha1.WebhookEndpoint
	if err := p.get(name, &e); err != nil {
		p.t.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range e.Status.Conditions {
		all[c.Type] = string(c.Status) + " " + c.Reason
	}
	return all
}

// addBadRoute gives an endpoint a second route, and that a filter that does not compile while the pods have not loaded the route: the
// mistake, which takes more words than an event has room for, is told at once, and the endpoint is programmed all the same.
func (p *place) addBadRoute(e *v1alpha1.WebhookEndpoint) {
	p.t.Helper()
	running.pods.follow(p.namespace, false)
	p.edit(e, func() {
		e.Spec.Routes = append(e.Spec.Routes, v1alpha1.Route{Name: "bounces", SinkRef: v1alpha1.SinkReference{Name: "crm"}})
	})
	eventually(p.t, func() error {
		return p.is(e.Name, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonConfigurationPending)
	})
	p.edit(e, func() { e.Spec.Routes[1].Filter = "evnt.type == 1" + strings.Repeat(" || evnt.type == 2", 50) })
	eventually(p.t, func() error {
		return p.is(e.Name, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidFilter)
	})
	running.pods.follow(p.namespace, true)
	eventually(p.t, func() error {
		return p.is(e.Name, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	})
}

// testABadRoute has a filter that does not compile, until it is mended.
func testABadRoute(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	var before appsv1.Deployment
	if err := p.get(children.Name, &before); err != nil {
		t.Fatal(err)
	}
	e := endpoint("e0", "", "")
	p.addBadRoute(e)
	const yes, bad = "True Reconciled", "False InvalidFilter"
	want := map[string]string{
		"Ready": bad, "ReferencesResolved": yes, "RoutesReady": bad, "ReceiverAvailable": yes, "Programmed": yes, "Stalled": "True InvalidFilter",
	}
	if diff := cmp.Diff(want, p.conditions("e0")); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if err := p.get("e0", e); err != nil {
		t.Fatal(err)
	}
	message := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionRoutesReady).Message
	for _, part := range []string{"spec.routes[1].filter (route bounces): does not compile", "undeclared reference to 'evnt'", "becomes a dead letter"} {
		if !strings.Contains(message, part) {
			t.Errorf("nothing about %q in: %s", part, message)
		}
	}
	p.hasBadRoute()
	if shown := cluster.Kubectl(t, "get", "whe", "e0", "-n", p.namespace, "-o", "wide"); !strings.Contains(shown, "False   InvalidFilter") {
		t.Errorf("kubectl shows:\n%s", shown)
	}
	eventually(t, func() error { return p.hasEvent("e0", v1alpha1.ReasonInvalidFilter) })

	p.edit(e, func() { e.Spec.Routes[1].Filter = `event.type == "email.bounced"` })
	eventually(t, func() error { return p.ready("e0") })
	healed := map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes}
	if diff := cmp.Diff(healed, p.conditions("e0")); diff != "" {
		t.Errorf("conditions once mended (-want +got):\n%s", diff)
	}
	if _, routes, err := p.routes(); err != nil || routes[1].Problem != "" || routes[1].Filter == "" {
		t.Errorf("once mended: %+v, %v", routes, err)
	}
	var after appsv1.Deployment
	if err := p.get(children.Name, &after); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("the Deployment changed (-before +after):\n%s", diff)
	}
	p.announcedOnce("e0")
}

// hasBadRoute expects an endpoint that works, with one route that does and one that says why it does not.
func (p *place) hasBadRoute() {
	p.t.Helper()
	state, routes, err := p.routes()
	if err != nil || state != config.Active || len(routes) != 2 || routes[0].Problem != "" {
		p.t.Fatalf("%s %+v, %v", state, routes, err)
	}
	if bad := routes[1]; bad.Name != "bounces" || bad.Sink != "crm" || bad.Filter != "" || !strings.HasPrefix(bad.Problem, "filter: does not compile") {
		p.t.Errorf("%+v", bad)
	}
	var secret corev1.Secret
	if err := p.get(children.ConfigSecretName(children.Name), &secret); err != nil {
		p.t.Fatal(err)
	}
	if n := strings.Count(string(secret.Data[config.FileName]), `"problem"`); n != 1 {
		p.t.Errorf("the document says %d times that there is a problem", n)
	}
}

// announced returns what was recorded of an object for a reason; what was recorded again has a series.
func (p *place) announced(name, reason string) (found []eventsv1.Event, times int32) {
	p.t.Helper()
	var all eventsv1.EventList
	if err := p.client.List(p.t.Context(), &all, client.InNamespace(p.namespace)); err != nil {
		p.t.Fatal(err)
	}
	for _, e := range all.Items {
		if e.Regarding.Name == name && e.Reason == reason {
			found = append(found, e)
			times++
			if e.Series != nil {
				times += e.Series.Count - 1
			}
		}
	}
	return found, times
}

// announcedOnce expects one warning of the bad route when all has been recorded: that it was ready, and is again.
func (p *place) announcedOnce(name string) {
	p.t.Helper()
	eventually(p.t, func() error {
		if _, times := p.announced(name, v1alpha1.ReasonReconciled); times < 2 {
			return fmt.Errorf("it is said %d times to be ready", times)
		}
		return nil
	})
	found, times := p.announced(name, v1alpha1.ReasonInvalidFilter)
	if times != 1 || found[0].Type != corev1.EventTypeWarning || !strings.Contains(found[0].Note, "route bounces") {
		p.t.Errorf("%d events: %+v", times, found)
	}
}

// testARouteIsMendedFromElsewhere expects the endpoint to be ready when the pods know of the sink, not when the sink is there.
func testARouteIsMendedFromElsewhere(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	e := endpoint("e0", "", "")
	p.edit(e, func() {
		e.Spec.Routes = append(e.Spec.Routes, v1alpha1.Route{Name: "later", SinkRef: v1alpha1.SinkReference{Name: "later"}})
	})
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonReconciled)
	})
	if err := p.is("e0", v1alpha1.ConditionRoutesReady, metav1.ConditionFalse, v1alpha1.ReasonSinkNotFound); err != nil {
		t.Error(err)
	}
	running.pods.follow(p.namespace, false)
	p.create(sink("later"))
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonConfigurationPending)
	})
	if err := p.is("e0", v1alpha1.ConditionRoutesReady, metav1.ConditionTrue, v1alpha1.ReasonReconciled); err != nil {
		t.Error(err)
	}
	running.pods.follow(p.namespace, true)
	eventually(t, func() error { return p.ready("e0") })
}

// testADeadLetterSinkThatIsMissing costs the sink nothing but the way of its dead letters, and its routes nothing at all.
func testADeadLetterSinkThatIsMissing(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	s := sink("crm")
	p.edit(s, func() { s.Spec.Delivery.DeadLetter.SinkRef.Name = "dead" })
	sinkIs := func(reason string, status metav1.ConditionStatus) {
		t.Helper()
		eventually(t, func() error {
			if err := p.get("crm", s); err != nil {
				return err
			}
			return conditionIs(s.Status.Conditions, s.Generation, metav1.Condition{Type: v1alpha1.ConditionReady, Status: status, Reason: reason})
		})
	}
	sinkIs(v1alpha1.ReasonSinkNotFound, metav1.ConditionFalse)
	if c := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(c.Message, "dead letters wait for the other sink") {
		t.Errorf("message: %s", c.Message)
	}
	c, err := p.config()
	if err != nil || len(c.Sinks) != 1 || c.Sinks[0].Delivery.DeadLetterSink != "dead" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := p.ready("e0"); err != nil {
		t.Error(err)
	}
	p.create(sink("dead"))
	sinkIs(v1alpha1.ReasonReconciled, metav1.ConditionTrue)
}
