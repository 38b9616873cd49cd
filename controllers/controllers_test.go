package controllers_test

import (
	"errors"
	"fmt"
	"math/bits"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/config/samples"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestControllers runs every test against one manager, which is stopped before the control plane.
func TestControllers(t *testing.T) {
	t.Parallel()
	running.start(t)
	for name, test := range map[string]func(*testing.T){
		"Quickstart":                             testQuickstart,
		"AnEdit":                                 testAnEdit,
		"APodThatStartsIsToldOfAnEdit":           testAPodThatStartsIsToldOfAnEdit,
		"AKubeletThatLooksTooEarly":              testAKubeletThatLooksTooEarly,
		"ASecretIsRotated":                       testASecretIsRotated,
		"ASecretThatTheCacheDoesNotKnow":         testASecretThatTheCacheDoesNotKnow,
		"MissingReferences":                      testMissingReferences,
		"ABadRoute":                              testABadRoute,
		"ARouteIsMendedFromElsewhere":            testARouteIsMendedFromElsewhere,
		"ADeadLetterSinkThatIsMissing":           testADeadLetterSinkThatIsMissing,
		"ADeletedEndpointLeavesTheConfiguration": testADeletedEndpointLeavesTheConfiguration,
		"DriftIsRepaired":                        testDriftIsRepaired,
		"AForeignConfiguration":                  testAForeignConfiguration,
		"AConfigurationOfParts":                  testAConfigurationOfParts,
		"ATooLargeConfiguration":                 testATooLargeConfiguration,
		"AQuota":                                 testAQuota,
		"ARefusedChange":                         testARefusedChange,
		"AForeignDeployment":                     testAForeignDeployment,
		"NothingIsLeft":                          testNothingIsLeft,
		"ASecondPassWritesNothing":               testASecondPassWritesNothing,
		"ADedicatedReceiver":                     testADedicatedReceiver,
		"ADedicatedReceiverIsRemoved":            testADedicatedReceiverIsRemoved,
		"TheNetworkPolicyGoesAfterThePods":       testTheNetworkPolicyGoesAfterThePods,
		"AMoveDropsNoRequest":                    testAMoveDropsNoRequest,
		"AMoveToAPathThatIsTaken":                testAMoveToAPathThatIsTaken,
		"TheSharedReceiverStaysForItsSinks":      testTheSharedReceiverStaysForItsSinks,
		"AnAutoscaler":                           testAnAutoscaler,
		"NoAutoscalerBeforeThePodsAreKept":       testNoAutoscalerBeforeThePodsAreKept,
		"ClaimsInsteadOfADeployment":             testClaimsInsteadOfADeployment,
		"ADrainOfPodsThatAreNotReady":            testADrainOfPodsThatAreNotReady,
		"TheHandoffKeyIsKept":                    testTheHandoffKeyIsKept,
		"SinksThatMayBeOwedEvents":               testSinksThatMayBeOwedEvents,
		"ASinkThatIsUnusableForAMoment":          testASinkThatIsUnusableForAMoment,
		"AMissingSecretOfTheJournal":             testAMissingSecretOfTheJournal,
		"PodsThatDoNotRun":                       testPodsThatDoNotRun,
		"AJournalProblem":                        testAJournalProblem,
		"AJournalWarning":                        testAJournalWarning,
		"AFailedHandoff":                         testAFailedHandoff,
		"AnIngress":                              testAnIngress,
		"AForeignIngress":                        testAForeignIngress,
		"AHostConflict":                          testAHostConflict,
		"OthersAddToAnIngress":                   testOthersAddToAnIngress,
		"WhatAnInstallationDoesNotAllow":         testWhatAnInstallationDoesNotAllow,
		"PodsOfSomebodyElse":                     testPodsOfSomebodyElse,
		"AHostIsNotTakenOver":                    testAHostIsNotTakenOver,
		"AnHTTPRoute":                            testAnHTTPRoute,
		"ATroubledAPIServer":                     testATroubledAPIServer,
		"LimitedToANamespace":                    testLimitedToANamespace,
		"AWebhookIsRegistered":                   testAWebhookIsRegistered,
		"AWebhookIsRetained":                     testAWebhookIsRetained,
		"ARotatedPathToken":                      testARotatedPathToken,
		"AKeyOfTheAPIThatIsRefused":              testAKeyOfTheAPIThatIsRefused,
		"TheManagerMakesTheKey":                  testTheManagerMakesTheKey,
		"ASecretOfSomebodyElse":                  testASecretOfSomebodyElse,
	} {
		t.Run(name, test)
	}
}

// is says whether an endpoint's condition has a status and a reason, for its present generation.
func (p *place) is(name, conditionType string, status metav1.ConditionStatus, reason string) error {
	var e v1alpha1.WebhookEndpoint
	if err := p.get(name, &e); err != nil {
		return err
	}
	return conditionIs(e.Status.Conditions, e.Generation, metav1.Condition{Type: conditionType, Status: status, Reason: reason})
}

func conditionIs(conditions []metav1.Condition, generation int64, want metav1.Condition) error {
	c := meta.FindStatusCondition(conditions, want.Type)
	if c == nil || c.Status != want.Status || c.Reason != want.Reason || c.ObservedGeneration != generation {
		return fmt.Errorf("generation %d: want %s %s %s, have %+v", generation, want.Type, want.Status, want.Reason, c)
	}
	return nil
}

func (p *place) ready(name string) error {
	return p.is(name, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReconciled)
}

// objects returns one empty object of each kind that a receiver consists of, but for the configuration.
func objects() []client.Object {
	return []client.Object{&corev1.ServiceAccount{}, &corev1.Service{}, &networkingv1.NetworkPolicy{}, &appsv1.Deployment{}, &policyv1.PodDisruptionBudget{}}
}

// testQuickstart applies the samples and follows them until they are ready.
func testQuickstart(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	files := samples.Files()
	endpoints := make([]string, 0, len(catalogue.Providers()))
	for _, provider := range catalogue.Providers() {
		endpoints = append(endpoints, provider.Folder())
	}
	for _, name := range append([]string{"secrets", "sinks"}, endpoints...) {
		text, err := files.ReadFile(path.Join(samples.QuickstartFolder, name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var u unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(document), &u.Object); err != nil {
				t.Fatal(err)
			}
			p.create(&u)
		}
	}
	eventually(t, func() error {
		c, err := p.config()
		if err == nil && (len(c.Endpoints) != len(endpoints) || len(c.Sinks) != 2) {
			err = fmt.Errorf("%d endpoints, %d sinks", len(c.Endpoints), len(c.Sinks))
		}
		return err
	})
	for _, o := range objects() {
		eventually(t, func() error { return p.get(children.Name, o) })
	}
	eventually(t, func() error {
		return p.is("engagelab", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonMinimumReplicasUnavailable)
	})
	p.serve()
	for _, name := range endpoints {
		eventually(t, func() error { return p.ready(name) })
	}
	var e v1alpha1.WebhookEndpoint
	if err := p.get("engagelab", &e); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("http://mailvane-receiver.%s.svc:8080%s", p.namespace, e.Path()); e.Status.URL != want {
		t.Errorf("url %q, want %q", e.Status.URL, want)
	}
	eventually(t, func() error { return p.hasEvent("engagelab", v1alpha1.ReasonReconciled) })
	var s v1alpha1.EventSink
	if err := p.get("crm", &s); err != nil {
		t.Fatal(err)
	}
	if err := conditionIs(s.Status.Conditions, 1, metav1.Condition{Type: "Ready", Status: "True", Reason: "Reconciled"}); err != nil {
		t.Error(err)
	}
}

// hasEvent says whether something was announced of an object.
func (p *place) hasEvent(name, reason string) error {
	var all eventsv1.EventList
	if err := p.client.List(p.t.Context(), &all, client.InNamespace(p.namespace)); err != nil {
		return err
	}
	for _, e := range all.Items {
		if e.Regarding.Name == name && e.Reason == reason {
			return nil
		}
	}
	return fmt.Errorf("no event %s of %s among %d", reason, name, len(all.Items))
}

// served returns a namespace whose endpoints, named e0, e1 and so on, are ready.
func served(t *testing.T, endpoints int) *place {
	t.Helper()
	p := newPlace(t)
	p.create(secret("credentials", "first"), sink("crm"))
	for i := range endpoints {
		p.create(endpoint(fmt.Sprintf("e%d", i), "credentials", "crm"))
	}
	p.serve()
	for i := range endpoints {
		eventually(t, func() error { return p.ready(fmt.Sprintf("e%d", i)) })
	}
	return p
}

// testAnEdit changes one endpoint of several, and counts what that costs.
func testAnEdit(t *testing.T) {
	t.Parallel()
	p := served(t, 5)
	var before appsv1.Deployment
	if err := p.get(children.Name, &before); err != nil {
		t.Fatal(err)
	}
	running.pods.follow(p.namespace, false)
	running.writes.take(p.namespace)
	begun := time.Now()
	e := endpoint("e2", "", "")
	p.edit(e, func() { e.Spec.Routes[0].Filter = `event.type == "email.bounced"` })
	eventually(t, func() error {
		return p.is("e2", v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonConfigurationPending)
	})
	if err := p.ready("e1"); err != nil {
		t.Errorf("another endpoint: %v", err)
	}
	running.pods.follow(p.namespace, true)
	eventually(t, func() error { return p.ready("e2") })
	got := running.writes.take(p.namespace)
	// A kubelet is told again after 2, 4, 8 seconds and so on, which a busy machine may take.
	told := max(1, min(got["patch receiver-0"], 1+bits.Len(uint(time.Since(begun)/(2*time.Second)))))
	want := map[string]int{"apply Secret": 1, "patch receiver-0": told, "status e2": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	c, err := p.config()
	if err != nil || c.Endpoints[2].Routes[0].Filter == "" {
		t.Errorf("%+v, %v", c, err)
	}
	var after appsv1.Deployment
	if err := p.get(children.Name, &after); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("the Deployment changed (-before +after):\n%s", diff)
	}
	var pod corev1.Pod
	if err := p.get("receiver-0", &pod); err != nil {
		t.Fatal(err)
	}
	loaded, err := running.pods.Loaded(t.Context(), &pod, "")
	if err != nil {
		t.Fatal(err)
	}
	if nudge := pod.Annotations[children.NudgeAnnotation]; nudge == "" || strings.HasPrefix(loaded.Hash, nudge) {
		t.Errorf("the pod was nudged with %q", nudge)
	}
}

// hasHash says whether a pod has loaded, or was told of, the configuration.
func (p *place) hasHash(pod *corev1.Pod) error {
	loaded, err := running.pods.Loaded(p.t.Context(), pod, "")
	if err != nil || loaded.Hash == "" {
		return fmt.Errorf("hash %q, %w", loaded.Hash, err)
	}
	return nil
}

// testMissingReferences breaks one endpoint by a Secret and one by a sink; both heal when what is missing is created.
func testMissingReferences(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	p.create(endpoint("no-secret", "later", "crm"), endpoint("no-sink", "credentials", "later"))
	eventually(t, func() error {
		return p.is("no-secret", v1alpha1.ConditionReferencesResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	})
	eventually(t, func() error {
		return p.is("no-sink", v1alpha1.ConditionReferencesResolved, metav1.ConditionFalse, v1alpha1.ReasonSinkNotFound)
	})
	if err := p.is("no-sink", v1alpha1.ConditionRoutesReady, metav1.ConditionFalse, v1alpha1.ReasonSinkNotFound); err != nil {
		t.Error(err)
	}
	var e v1alpha1.WebhookEndpoint
	if err := p.get("no-secret", &e); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`spec.provider.emailEngine.serviceSecretRefs[0]: Secret "later" does not exist in namespace %q`, p.namespace)
	if got := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady); got.Message != want || got.Status != metav1.ConditionFalse {
		t.Errorf("Ready: %+v, want %s", got, want)
	}
	c, err := p.config()
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, e := range c.Endpoints {
		states[e.Name] = e.State
	}
	if diff := cmp.Diff(map[string]string{"e0": "Active", "no-secret": "Unavailable", "no-sink": "Active"}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if err := p.ready("e0"); err != nil {
		t.Errorf("the other endpoint: %v", err)
	}
	p.create(secret("later", "value"), sink("later"))
	eventually(t, func() error { return p.ready("no-secret") })
	eventually(t, func() error { return p.ready("no-sink") })
}

func testADeletedEndpointLeavesTheConfiguration(t *testing.T) {
	t.Parallel()
	p := served(t, 2)
	p.remove(endpoint("e0", "", ""))
	eventually(t, func() error {
		c, err := p.config()
		if err == nil && len(c.Endpoints) != 1 {
			err = fmt.Errorf("%d endpoints", len(c.Endpoints))
		}
		return err
	})
}

// testDriftIsRepaired deletes, changes and strips objects of the receiver, each for itself: each is noticed.
func testDriftIsRepaired(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	for _, o := range objects() {
		if err := p.get(children.Name, o); err != nil {
			t.Fatal(err)
		}
		deleted := o.GetUID()
		p.remove(o)
		eventually(t, func() error {
			if err := p.get(children.Name, o); err != nil {
				return err
			}
			if o.GetUID() == deleted {
				return errors.New("it is not deleted yet")
			}
			return nil
		})
	}
	deployment := &appsv1.Deployment{}
	deployment.Name = children.Name
	p.edit(deployment, func() { deployment.Spec.Template.Spec.Containers[0].Image = "other.example.com/other" })
	eventually(t, func() error {
		if err := p.get(children.Name, deployment); err != nil {
			return err
		}
		if image := deployment.Spec.Template.Spec.Containers[0].Image; image != "mailvane.example.com/mailvane:v1" {
			return fmt.Errorf("image %s", image)
		}
		return nil
	})
	configuration := &corev1.Secret{}
	configuration.Name = children.ConfigSecretName(children.Name)
	p.edit(configuration, func() { configuration.Data[config.FileName] = []byte("{}") })
	eventually(t, func() error {
		_, err := p.config()
		return err
	})
	account := &corev1.ServiceAccount{}
	account.Name = children.Name
	for _, o := range []client.Object{account, configuration} {
		p.edit(o, func() { o.SetLabels(nil) })
		eventually(t, func() error {
			if err := p.get(o.GetName(), o); err != nil {
				return err
			}
			if len(o.GetLabels()) == 0 {
				return fmt.Errorf("%T has no labels", o)
			}
			return nil
		})
	}
}

// testNothingIsLeft deletes the last endpoint and the last sink. The pod goes, as it does with its Deployment.
func testNothingIsLeft(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	p.remove(endpoint("e0", "", ""))
	p.remove(sink("crm"))
	p.remove(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "receiver-0"}})
	all := objects()
	eventually(t, func() error {
		for _, o := range all {
			if err := p.get(children.Name, o); !apierrors.IsNotFound(err) {
				return fmt.Errorf("%T is there: %w", o, err)
			}
		}
		return nil
	})
	eventually(t, func() error {
		var configuration corev1.Secret
		if err := p.get(children.ConfigSecretName(children.Name), &configuration); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the configuration is there: %w", err)
		}
		return nil
	})
	if err := p.get("credentials", &corev1.Secret{}); err != nil {
		t.Errorf("the user's Secret: %v", err)
	}
}

// testASecondPassWritesNothing runs passes by hand, with a client that counts on its own. There is another one only to ask how the
// journals are.
func testASecondPassWritesNothing(t *testing.T) {
	t.Parallel()
	p := served(t, 3)
	own := exposed("own", p.namespace+".example.com")
	own.Spec.Receiver = &v1alpha1.Receiver{Autoscaling: v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 3, TargetCPUUtilizationPercentage: 50}}
	p.create(own)
	p.available(&appsv1.Deployment{}, children.DedicatedName("own"))
	p.pod("own-0", children.DedicatedName("own"))
	eventually(t, func() error { return p.ready("own") })
	var counted writes
	reconciler := byHand(t, counted.funcs())
	request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}}
	if _, err := reconciler.Reconcile(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	counted.take(p.namespace) // a manager that has just started applies everything once, without effect
	result, err := reconciler.Reconcile(t.Context(), request)
	if err != nil || result.RequeueAfter != 30*time.Second {
		t.Errorf("%+v, %v", result, err)
	}
	if got := counted.take(p.namespace); len(got) != 0 {
		t.Errorf("writes: %v", got)
	}
}
