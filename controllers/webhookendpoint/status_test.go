package webhookendpoint_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
	"github.com/mailvane/mailvane/receiver/config"
)

func before() time.Time { return time.Unix(1_000, 0) }
func now() time.Time    { return time.Unix(2_000, 0) }

func base(receiver string) string { return "http://" + receiver + ":8080" }

// object returns an endpoint of generation 2 whose conditions speak of the given generation.
func object(observed int64, conditions ...metav1.Condition) *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "e", Generation: 2}}
	for _, c := range conditions {
		c.ObservedGeneration, c.LastTransitionTime = observed, metav1.NewTime(before())
		e.Status.Conditions = append(e.Status.Conditions, c)
	}
	return e
}

// short returns conditions as "status reason".
func short(conditions []metav1.Condition) map[string]string {
	all := map[string]string{}
	for _, c := range conditions {
		all[c.Type] = string(c.Status) + " " + c.Reason
	}
	return all
}

func TestStatus(t *testing.T) {
	t.Parallel()
	pending := condition.Finding{Reason: v1alpha1.ReasonConfigurationPending}
	noReceiver := condition.Finding{Reason: v1alpha1.ReasonMinimumReplicasUnavailable}
	refused := condition.Finding{Reason: v1alpha1.ReasonApplyFailed}
	missing := render.Problem{Reason: v1alpha1.ReasonSecretNotFound, Related: render.Object{Kind: "Secret"}}
	badFilter := render.Problem{Reason: v1alpha1.ReasonInvalidFilter, Route: "bounces"}
	noSink := render.Problem{Reason: v1alpha1.ReasonSinkNotFound, Route: "all", Related: render.Object{Kind: v1alpha1.EventSinkKind}}
	badSettings := render.Problem{Reason: v1alpha1.ReasonInvalidSettings}
	failing := []config.Problem{{Kind: config.FilterFailing, Route: "bounces", Message: "it divides by zero", Count: 1, Since: before()}}
	large := []config.Problem{{Kind: config.BodyTooLarge, Message: "bodies were above 1000 bytes", Count: 1, Since: before()}}
	failingRoute := metav1.Condition{Type: v1alpha1.ConditionRoutesReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonFilterFailing}
	conflict := render.Problem{Reason: v1alpha1.ReasonPathConflict}
	programmed := metav1.Condition{Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled}
	badRoute := metav1.Condition{Type: v1alpha1.ConditionRoutesReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSinkNotFound}
	stalled := metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonInvalidFilter}
	const yes = "True Reconciled"
	cases := map[string]struct {
		reason   string
		endpoint *v1alpha1.WebhookEndpoint
		in       webhookendpoint.Inputs
		want     map[string]string // Ready, ReferencesResolved, RoutesReady, ReceiverAvailable, Programmed, Stalled
	}{
		"all well": {
			"nothing is wrong", object(0),
			webhookendpoint.Inputs{},
			map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes},
		},
		"first load": {
			"a new endpoint waits for the pods", object(0),
			webhookendpoint.Inputs{Loaded: pending},
			map[string]string{"Ready": "False ConfigurationPending", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False ConfigurationPending"},
		},
		"another endpoint's edit": {
			"what is loaded in this generation stays so", object(2, programmed),
			webhookendpoint.Inputs{Loaded: pending},
			map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes},
		},
		"own edit": {
			"an older generation that was loaded says nothing", object(1, programmed),
			webhookendpoint.Inputs{Loaded: pending},
			map[string]string{"Ready": "False ConfigurationPending", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False ConfigurationPending"},
		},
		"no receiver": {
			"the receiver comes before the configuration in Ready", object(2, programmed),
			webhookendpoint.Inputs{Receiver: noReceiver, Loaded: noReceiver},
			map[string]string{"Ready": "False MinimumReplicasUnavailable", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": "False MinimumReplicasUnavailable", "Programmed": yes},
		},
		"a change of the receiver is refused": {
			"what runs is not as it is asked for, whatever has been loaded", object(2, programmed),
			webhookendpoint.Inputs{Refused: refused},
			map[string]string{"Ready": "False ApplyFailed", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False ApplyFailed"},
		},
		"missing Secret": {
			"a problem elsewhere is no reason to stall, and takes Programmed away", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{missing}},
			map[string]string{"Ready": "False SecretNotFound", "ReferencesResolved": "False SecretNotFound", "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False SecretNotFound"},
		},
		"bad settings": {
			"only the user can help", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{badSettings}},
			map[string]string{"Ready": "False InvalidSettings", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False InvalidSettings", "Stalled": "True InvalidSettings"},
		},
		"bad filter": {
			"only the user can help, and the endpoint is in use", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{badFilter}},
			map[string]string{"Ready": "False InvalidFilter", "ReferencesResolved": yes, "RoutesReady": "False InvalidFilter", "ReceiverAvailable": yes, "Programmed": yes, "Stalled": "True InvalidFilter"},
		},
		"bad filter that is not loaded": {
			"the mistake is told at once", object(1, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{badFilter}, Loaded: pending},
			map[string]string{"Ready": "False InvalidFilter", "ReferencesResolved": yes, "RoutesReady": "False InvalidFilter", "ReceiverAvailable": yes, "Programmed": "False ConfigurationPending", "Stalled": "True InvalidFilter"},
		},
		"bad filter and no receiver": {
			"a receiver that takes nothing is worse than a route that does not work", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{badFilter}, Receiver: noReceiver, Loaded: noReceiver},
			map[string]string{"Ready": "False MinimumReplicasUnavailable", "ReferencesResolved": yes, "RoutesReady": "False InvalidFilter", "ReceiverAvailable": "False MinimumReplicasUnavailable", "Programmed": yes, "Stalled": "True InvalidFilter"},
		},
		"bad filter and missing Secret": {
			"the endpoint is not in use for what concerns all of it", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{badFilter, missing}},
			map[string]string{"Ready": "False SecretNotFound", "ReferencesResolved": "False SecretNotFound", "RoutesReady": "False InvalidFilter", "ReceiverAvailable": yes, "Programmed": "False SecretNotFound", "Stalled": "True InvalidFilter"},
		},
		"missing sink": {
			"a reference, and a route", object(2, programmed),
			webhookendpoint.Inputs{Problems: []render.Problem{noSink}},
			map[string]string{"Ready": "False SinkNotFound", "ReferencesResolved": "False SinkNotFound", "RoutesReady": "False SinkNotFound", "ReceiverAvailable": yes, "Programmed": yes},
		},
		"the sink is there": {
			"the mended route has to be loaded although the endpoint is the same", object(2, programmed, badRoute),
			webhookendpoint.Inputs{Loaded: pending},
			map[string]string{"Ready": "False ConfigurationPending", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False ConfigurationPending"},
		},
		"healed": {
			"Stalled goes", object(1, stalled),
			webhookendpoint.Inputs{},
			map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes},
		},
		"a filter that fails": {
			"it loses nothing, and does not work", object(2, programmed),
			webhookendpoint.Inputs{Troubles: failing},
			map[string]string{"Ready": "False FilterFailing", "ReferencesResolved": yes, "RoutesReady": "False FilterFailing", "ReceiverAvailable": yes, "Programmed": yes},
		},
		"a filter that has failed, while another endpoint is edited": {
			"nothing has to be loaded once more", object(2, programmed, failingRoute),
			webhookendpoint.Inputs{Loaded: pending},
			map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes},
		},
		"bodies that are too large": {
			"anybody can send them, so that they are no part of Ready", object(2, programmed),
			webhookendpoint.Inputs{Troubles: large},
			map[string]string{"Ready": yes, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": yes, "BodiesAccepted": "False BodyTooLarge"},
		},
		"path conflict": {
			"the other endpoint may go", object(0),
			webhookendpoint.Inputs{Problems: []render.Problem{conflict}},
			map[string]string{"Ready": "False PathConflict", "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": "False PathConflict"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.in.Now, tc.in.Name, tc.in.BaseURL = now(), "receiver", base
			status := webhookendpoint.Status(tc.endpoint, tc.in)
			if diff := cmp.Diff(tc.want, short(status.Conditions)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			again := tc.endpoint.DeepCopy()
			again.Status = status
			tc.in.Now = now().Add(time.Hour)
			if diff := cmp.Diff(status, webhookendpoint.Status(again, tc.in)); diff != "" {
				t.Errorf("a second time (-first +second):\n%s", diff)
			}
		})
	}
}

// TestStatusNamesTheRoute reads what people read.
func TestStatusNamesTheRoute(t *testing.T) {
	t.Parallel()
	status := webhookendpoint.Status(object(0), webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Now: now(), Problems: []render.Problem{
		{Field: "spec.routes[1].filter", Route: "bounces", Reason: v1alpha1.ReasonInvalidFilter, Message: "does not compile"},
		{Field: "spec.routes[4].sinkRef.name", Route: "all", Reason: v1alpha1.ReasonSinkNotFound, Message: "does not exist"},
	}})
	want := "What a route selects for a sink that is missing waits for it; what arrives for a filter that does not compile becomes a dead letter, to be retried when the route is mended. " +
		"spec.routes[1].filter (route bounces): does not compile; spec.routes[4].sinkRef.name (route all): does not exist"
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionRoutesReady} {
		if got := meta.FindStatusCondition(status.Conditions, conditionType); got.Message != want {
			t.Errorf("%s: %s", conditionType, got.Message)
		}
	}
}

func TestStatusOfAPausedEndpoint(t *testing.T) {
	t.Parallel()
	e := object(0)
	e.Spec.State = v1alpha1.EndpointPaused
	status := webhookendpoint.Status(e, webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Now: now()})
	if got := short(status.Conditions)["Ready"]; got != "False Paused" {
		t.Errorf("Ready: %s", got)
	}
	if status.ObservedGeneration != 2 || status.URL != "http://receiver:8080/hooks/mail/e" {
		t.Errorf("%+v", status)
	}
}

// TestStatusOfAMove follows an endpoint from one receiver to another.
func TestStatusOfAMove(t *testing.T) {
	t.Parallel()
	const wait = 15 * time.Second
	pending := condition.Finding{Reason: v1alpha1.ReasonConfigurationPending}
	programmed := func(since time.Time) metav1.Condition {
		return metav1.Condition{
			Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled,
			ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(since),
		}
	}
	cases := map[string]struct {
		reason     string
		former     string
		conditions []metav1.Condition
		loaded     condition.Finding
		receiver   string
		url        string
	}{
		"new":           {"nobody served it before", "", nil, pending, "new", "http://new:8080"},
		"not yet":       {"the former one serves until the new one does", "old", nil, pending, "old", "http://old:8080"},
		"just now":      {"what is in front of them may not have noticed", "old", nil, condition.Finding{}, "old", "http://new:8080"},
		"a moment ago":  {"as above", "old", []metav1.Condition{programmed(now().Add(-wait + time.Second))}, condition.Finding{}, "old", "http://new:8080"},
		"for some time": {"the former one is not needed", "old", []metav1.Condition{programmed(now().Add(-wait))}, condition.Finding{}, "new", "http://new:8080"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := object(0)
			e.Status.Receiver, e.Status.Conditions = tc.former, tc.conditions
			status := webhookendpoint.Status(e, webhookendpoint.Inputs{Name: "new", BaseURL: base, Loaded: tc.loaded, MoveTime: wait, Now: now()})
			if status.Receiver != tc.receiver || status.URL != tc.url+"/hooks/mail/e" {
				t.Errorf("%s: %s, %s", tc.reason, status.Receiver, status.URL)
			}
		})
	}
}

func TestStatusOfAnExposedEndpoint(t *testing.T) {
	t.Parallel()
	const yes = "True Reconciled"
	cases := map[string]struct {
		exposed        condition.Finding
		external       string
		ready, is, url string
	}{
		"taken":    {condition.Finding{}, "https://hooks.example.com", yes, yes, "https://hooks.example.com"},
		"perhaps":  {condition.Finding{Reason: v1alpha1.ReasonIngressPending, Unknown: true}, "https://hooks.example.com", yes, "Unknown IngressPending", "https://hooks.example.com"},
		"refused":  {condition.Finding{Reason: v1alpha1.ReasonRouteRefused}, "https://hooks.example.com", "False RouteRefused", "False RouteRefused", "https://hooks.example.com"},
		"conflict": {condition.Finding{Reason: v1alpha1.ReasonHostConflict}, "", "False HostConflict", "False HostConflict", "http://receiver:8080"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := object(0)
			e.Spec.Exposure = &v1alpha1.Exposure{Host: "hooks.example.com"}
			in := webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Exposed: tc.exposed, ExternalURL: tc.external, Now: now()}
			e.Status = webhookendpoint.Status(e, in)
			got := short(e.Status.Conditions)
			if got[v1alpha1.ConditionReady] != tc.ready || got[v1alpha1.ConditionExposed] != tc.is || e.Status.URL != tc.url+"/hooks/mail/e" {
				t.Errorf("%v, %s", got, e.Status.URL)
			}
			e.Spec.Exposure = nil
			in.Exposed, in.ExternalURL = condition.Finding{}, ""
			if _, there := short(webhookendpoint.Status(e, in).Conditions)[v1alpha1.ConditionExposed]; there {
				t.Error("the condition is there without spec.exposure")
			}
		})
	}
}

// TestRegistered has what is found of a webhook at its provider, one after the other.
func TestRegistered(t *testing.T) {
	t.Parallel()
	const yes = "True Reconciled"
	e := object(0)
	e.Spec.Registration = &v1alpha1.Registration{}
	for i, tc := range []struct {
		reason    string
		found     *condition.Finding
		ready, is string
	}{
		{"an endpoint that nobody posts to is not ready", nil, "False RegistrationPending", "False RegistrationPending"},
		{"and not before the provider has the webhook", &condition.Finding{Reason: v1alpha1.ReasonCredentialRefused}, "False CredentialRefused", "False CredentialRefused"},
		{"a manager that starts knows nothing yet, and doubts nothing", nil, "False CredentialRefused", "False CredentialRefused"},
		{"then it is", &condition.Finding{Message: "It has the webhook."}, yes, yes},
		{"also for a manager that starts", nil, yes, yes},
		{"a provider that had it and is down does not take that back", &condition.Finding{Reason: v1alpha1.ReasonProviderUnavailable, Unknown: true}, yes, "Unknown ProviderUnavailable"},
		{"nor for a manager that starts then", nil, yes, "Unknown ProviderUnavailable"},
	} {
		e.Status = webhookendpoint.Status(e, webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Registered: tc.found, Now: now()})
		if got := short(e.Status.Conditions); got[v1alpha1.ConditionReady] != tc.ready || got[v1alpha1.ConditionRegistered] != tc.is {
			t.Errorf("%d: %s: %v", i, tc.reason, got)
		}
	}
	e.Generation++
	edited := webhookendpoint.Status(e, webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Now: now()})
	if got := short(edited.Conditions)[v1alpha1.ConditionRegistered]; got != "False RegistrationPending" {
		t.Errorf("what was found of another generation is still said: %s", got)
	}
	e.Spec.Registration = nil
	if _, there := short(webhookendpoint.Status(e, webhookendpoint.Inputs{Name: "receiver", BaseURL: base, Now: now()}).Conditions)[v1alpha1.ConditionRegistered]; there {
		t.Error("the condition is there without spec.registration")
	}
}

// TestWarnings has what works and is odd: it is said in the condition that it belongs to, which stays what it is.
func TestWarnings(t *testing.T) {
	t.Parallel()
	ref := []v1alpha1.SecretKeyReference{{Name: "a", Key: "b"}}
	token := v1alpha1.Authentication{PathToken: v1alpha1.PathTokenFactor{SecretRefs: ref}}
	basic := v1alpha1.Authentication{Basic: v1alpha1.BasicFactor{SecretRefs: []v1alpha1.BasicSecretReference{{Name: "a"}}}}
	header := v1alpha1.Authentication{Header: v1alpha1.HeaderFactor{SecretRefs: ref}}
	ingress := &v1alpha1.Exposure{Ingress: &v1alpha1.IngressExposure{}}
	gateway := &v1alpha1.Exposure{Gateway: &v1alpha1.GatewayExposure{}}
	pending := condition.Finding{Reason: v1alpha1.ReasonIngressPending, Message: "Nobody says.", Unknown: true}
	odd := render.Problem{Field: "spec.provider", Message: "it is odd", Related: render.Object{Kind: "Secret", Name: "a"}, Warning: true}
	for name, tc := range map[string]struct {
		reason     string
		factors    v1alpha1.Authentication
		exposure   *v1alpha1.Exposure
		in         webhookendpoint.Inputs
		exposed    string // status and message
		references string
	}{
		"token over http":     {"", token, ingress, webhookendpoint.Inputs{ExternalURL: "http://a"}, "True Warning: the URL begins with http, so what spec.authentication asks for is sent in the clear; set spec.exposure.ingress.tlsSecretName", "True "},
		"password over http":  {"", basic, gateway, webhookendpoint.Inputs{ExternalURL: "http://a"}, "True Warning: the URL begins with http, so what spec.authentication asks for is sent in the clear; name a listener with TLS in spec.exposure.gateway.parentRefs", "True "},
		"header over http":    {"without an address", header, ingress, webhookendpoint.Inputs{ExternalURL: "http://a", Exposed: pending}, "Unknown Nobody says. Warning: the URL begins with http, so what spec.authentication asks for is sent in the clear; set spec.exposure.ingress.tlsSecretName", "True "},
		"token over https":    {"", token, ingress, webhookendpoint.Inputs{ExternalURL: "https://a"}, "True ", "True "},
		"signature over http": {"it is of no use to who reads it", v1alpha1.Authentication{}, ingress, webhookendpoint.Inputs{ExternalURL: "http://a"}, "True ", "True "},
		"an odd Secret":       {"it works", token, ingress, webhookendpoint.Inputs{ExternalURL: "https://a", Problems: []render.Problem{odd}}, "True ", "True Warning: spec.provider: it is odd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := object(0)
			e.Spec.Authentication, e.Spec.Exposure = tc.factors, tc.exposure
			tc.in.Name, tc.in.BaseURL, tc.in.Now = "mailvane-receiver", base, now()
			status := webhookendpoint.Status(e, tc.in)
			for conditionType, want := range map[string]string{v1alpha1.ConditionExposed: tc.exposed, v1alpha1.ConditionReferencesResolved: tc.references} {
				c := meta.FindStatusCondition(status.Conditions, conditionType)
				if got := string(c.Status) + " " + c.Message; got != want {
					t.Errorf("%s: %s is %s, want %s", tc.reason, conditionType, got, want)
				}
			}
			if !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
				t.Errorf("%s: %+v", tc.reason, status.Conditions)
			}
		})
	}
}
