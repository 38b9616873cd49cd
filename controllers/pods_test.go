package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// waiting returns the status of a pod whose container waits for a reason.
func waiting(reason string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
		Name: children.ContainerName, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
	}}}
}

// testPodsThatDoNotRun says why, without following each word of the kubelet, and heals.
func testPodsThatDoNotRun(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(endpoint("e0", "credentials", "crm"))
	pod := p.podWith("receiver-0", children.Name, waiting("ErrImagePull"))
	message := func() string {
		var e v1alpha1.WebhookEndpoint
		if err := p.get("e0", &e); err != nil {
			t.Fatal(err)
		}
		return meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReceiverAvailable).Message
	}
	becomes := func(status corev1.PodStatus, reason string) {
		t.Helper()
		p.report(pod, status)
		eventually(t, func() error { return p.is("e0", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, reason) })
	}
	becomes(waiting("ErrImagePull"), v1alpha1.ReasonImagePullFailed)
	first := message()
	if !strings.Contains(first, "mailvane.example.com/mailvane:v1") || !strings.Contains(first, "--receiver-image") {
		t.Errorf("message: %s", first)
	}
	becomes(waiting("ImagePullBackOff"), v1alpha1.ReasonImagePullFailed)
	if again := message(); again != first {
		t.Errorf("then: %s", again)
	}
	becomes(waiting("CrashLoopBackOff"), v1alpha1.ReasonReceiverCrashing)
	becomes(corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: children.ContainerName, RestartCount: 3}}}, v1alpha1.ReasonReceiverCrashing)
	becomes(corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable},
	}}, v1alpha1.ReasonUnschedulable)
	p.available(&appsv1.Deployment{}, children.Name)
	p.pod("receiver-1", children.Name)
	eventually(t, func() error { return p.ready("e0") })
}

// testAMissingSecretOfTheJournal keeps pods from starting.
func testAMissingSecretOfTheJournal(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(dedicated("own", v1alpha1.Receiver{Journal: v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{
		URLs: []v1alpha1.NATSURL{"nats://nats.example.com:4222"}, CredentialsRef: &v1alpha1.SecretKeyReference{Name: "nats", Key: "user.creds"},
	}}}))
	is := func(reason string) {
		t.Helper()
		eventually(t, func() error { return p.is("own", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, reason) })
	}
	is(v1alpha1.ReasonSecretNotFound)
	p.create(secret("nats", "value"))
	name := children.DedicatedName("own")
	pod := p.podWith("own-0", name, corev1.PodStatus{Phase: corev1.PodPending})
	is(v1alpha1.ReasonCredentialMissing)
	s := secret("nats", "")
	p.edit(s, func() { s.Data["user.creds"] = []byte("credentials\n") })
	p.available(&appsv1.Deployment{}, name)
	p.remove(pod)
	p.pod("own-1", name)
	eventually(t, func() error { return p.ready("own") })
	var d appsv1.Deployment
	if err := p.get(name, &d); err != nil {
		t.Fatal(err)
	}
	if volume := d.Spec.Template.Spec.Volumes[len(d.Spec.Template.Spec.Volumes)-1]; volume.Secret == nil || volume.Secret.SecretName != "nats" {
		t.Errorf("%+v", volume)
	}
}

// testAJournalProblem is told by pods that are ready and by pods that are not, and heals.
func testAJournalProblem(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	running.pods.suffer(p.namespace, journalSays{problem: "stream mail_events is missing"})
	p.create(endpoint("e0", "credentials", "crm"))
	pod := p.podWith("receiver-0", children.Name, corev1.PodStatus{PodIP: "192.0.2.1", PodIPs: []corev1.PodIP{{IP: "192.0.2.1"}}, Phase: corev1.PodRunning})
	unavailable := func() error {
		return p.is("e0", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, v1alpha1.ReasonJournalUnavailable)
	}
	eventually(t, unavailable)
	var e v1alpha1.WebhookEndpoint
	if err := p.get("e0", &e); err != nil {
		t.Fatal(err)
	}
	if c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(c.Message, "stream mail_events is missing") {
		t.Errorf("Ready: %+v", c)
	}
	p.remove(pod)
	p.another()
	eventually(t, unavailable)
	running.pods.suffer(p.namespace, journalSays{})
	eventually(t, func() error { return p.ready("e0") })
}

// testAJournalWarning is in the condition of endpoints that are ready all the same.
func testAJournalWarning(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	running.pods.suffer(p.namespace, journalSays{warning: "there is no room for more dead letters"})
	p.create(endpoint("e0", "credentials", "crm"))
	p.another()
	eventually(t, func() error { return p.ready("e0") })
	eventually(t, func() error {
		var e v1alpha1.WebhookEndpoint
		if err := p.get("e0", &e); err != nil {
			return err
		}
		c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReceiverAvailable)
		if c == nil || c.Status != metav1.ConditionTrue || !strings.Contains(c.Message, "Warning: the journal of a pod: there is no room for more dead letters.") {
			return fmt.Errorf("ReceiverAvailable: %+v", c)
		}
		return nil
	})
}

// another makes the shared receiver available with another pod.
func (p *place) another() {
	p.t.Helper()
	p.available(&appsv1.Deployment{}, children.Name)
	p.pod("receiver-1", children.Name)
}

// testAFailedHandoff is announced once, of the endpoint of a dedicated receiver and of the pod of a shared one.
func testAFailedHandoff(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(endpoint("e0", "credentials", "crm"), dedicated("own", v1alpha1.Receiver{}))
	running := corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: children.ContainerName}}}
	for name, receiver := range map[string]string{"receiver-0": children.Name, "own-0": children.DedicatedName("own")} {
		pod := p.podWith(name, receiver, running)
		eventually(t, func() error { return seen(p, name) })
		pod.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{Message: "HandoffFailed: 7 undelivered events stay"}
		for _, ip := range []string{"192.0.2.1", "192.0.2.2"} { // which is another change of the same pod
			pod.Status.PodIP, pod.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
			p.report(pod, pod.Status)
		}
	}
	// Anybody who may make pods can give one the labels, and have it leave such a message.
	impostor := p.podWith("impostor", children.DedicatedName("own"), running)
	impostor.OwnerReferences = nil
	if err := p.client.Update(t.Context(), impostor); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return seen(p, impostor.Name) })
	impostor.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{Message: "HandoffFailed: everything is lost"}
	p.report(impostor, impostor.Status)
	// What comes after it in the order of things: an event that was recorded twice has a series by then.
	late := p.podWith("receiver-1", children.Name, running)
	eventually(t, func() error { return seen(p, late.Name) })
	late.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{Message: "HandoffFailed: 7 undelivered events stay"}
	p.report(late, late.Status)
	eventually(t, func() error { return p.hasEvent(late.Name, v1alpha1.ReasonHandoffFailed) })
	for _, about := range []string{"receiver-0", "own"} {
		eventually(t, func() error { return p.hasEvent(about, v1alpha1.ReasonHandoffFailed) })
	}
	var all eventsv1.EventList
	if err := p.client.List(t.Context(), &all, client.InNamespace(p.namespace)); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, e := range all.Items {
		if e.Reason == v1alpha1.ReasonHandoffFailed {
			count++
			if e.Series != nil || e.Type != corev1.EventTypeWarning || !strings.Contains(e.Note, "7 undelivered events stay") {
				t.Errorf("%+v", e)
			}
		}
	}
	if count != 3 {
		t.Errorf("%d events, want 3", count)
	}
}

// seen says whether the manager's cache has a pod.
func seen(p *place, name string) error {
	var pod corev1.Pod
	if err := running.manager.GetClient().Get(p.t.Context(), client.ObjectKey{Namespace: p.namespace, Name: name}, &pod); err != nil {
		return err
	}
	if len(pod.Status.ContainerStatuses) == 0 {
		return errors.New("the cache is behind")
	}
	return nil
}

// testAPodThatStartsIsToldOfAnEdit has a pod that may have mounted what was there before.
func testAPodThatStartsIsToldOfAnEdit(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	p.podWith("receiver-1", children.Name, corev1.PodStatus{Phase: corev1.PodPending})
	before := ""
	for _, filter := range []string{`event.type == "email.bounced"`, `event.type == "email.opened"`} {
		e := endpoint("e0", "", "")
		p.edit(e, func() { e.Spec.Routes[0].Filter = filter })
		p.toldSince("receiver-1", before)
		eventually(t, func() error { return p.ready("e0") })
		before = p.told("receiver-1")
	}
}

// told returns what the kubelet of a pod was told last.
func (p *place) told(pod string) string {
	p.t.Helper()
	var found corev1.Pod
	if err := p.get(pod, &found); err != nil {
		p.t.Fatal(err)
	}
	return found.Annotations[children.NudgeAnnotation]
}

// toldSince waits until the kubelet of a pod is told anew.
func (p *place) toldSince(pod, before string) {
	p.t.Helper()
	eventually(p.t, func() error {
		if p.told(pod) == before {
			return fmt.Errorf("the kubelet was told %q before", before)
		}
		return nil
	})
}

// testAKubeletThatLooksTooEarly is told again until the pod has loaded the edit.
func testAKubeletThatLooksTooEarly(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	pod := p.pod("receiver-1", children.Name)
	running.pods.lookTooEarly(pod)
	e := endpoint("e0", "", "")
	p.edit(e, func() { e.Spec.Routes[0].Filter = `event.type == "email.bounced"` })
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonConfigurationPending)
	})
	for range 2 {
		p.toldSince(pod.Name, p.told(pod.Name))
	}
	running.pods.wait(pod)
	eventually(t, func() error { return p.ready("e0") })
}
