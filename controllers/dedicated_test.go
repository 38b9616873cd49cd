package controllers_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// dedicated returns an endpoint with a receiver of its own.
func dedicated(name string, r v1alpha1.Receiver) *v1alpha1.WebhookEndpoint {
	e := endpoint(name, "credentials", "crm")
	e.Spec.Receiver = &r
	return e
}

// prepared returns a namespace with what endpoints refer to, whose pods load everything at once.
func prepared(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.create(secret("credentials", "first"), sink("crm"))
	running.pods.follow(p.namespace, true)
	return p
}

// gone waits until an object is not there.
func (p *place) gone(name string, o client.Object) {
	p.t.Helper()
	eventually(p.t, func() error {
		if err := p.get(name, o); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%T %s is there: %w", o, name, err)
		}
		return nil
	})
}

func names(c *config.Config) []string {
	found := []string{}
	for _, e := range c.Endpoints {
		found = append(found, e.Name)
	}
	return found
}

// testADedicatedReceiver has all the objects, each owned by the endpoint but for the NetworkPolicy, and its configuration nothing of other endpoints.
func testADedicatedReceiver(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	e := dedicated("own", v1alpha1.Receiver{Replicas: 3})
	p.create(sink("other"), endpoint("e0", "credentials", "other"), e)
	name := children.DedicatedName("own")
	p.serve()
	p.available(&appsv1.Deployment{}, name)
	p.pod("own-0", name)
	eventually(t, func() error { return errors.Join(p.ready("own"), p.ready("e0")) })
	for _, o := range append(objects(), &corev1.Service{}, &corev1.Secret{}) {
		at := name
		switch o.(type) {
		case *corev1.Secret:
			at = children.ConfigSecretName(name)
		}
		if err := p.get(at, o); err != nil {
			t.Fatal(err)
		}
		owner := metav1.GetControllerOf(o)
		if _, outlives := o.(*networkingv1.NetworkPolicy); outlives != (owner == nil) || (owner != nil && owner.UID != e.UID) {
			t.Errorf("%T is owned by %+v", o, owner)
		}
	}
	for receiver, want := range map[string][2][]string{name: {{"own"}, {"crm"}}, children.Name: {{"e0"}, {"crm", "other"}}} {
		c, err := p.configOf(receiver)
		if err != nil {
			t.Fatal(err)
		}
		sinks := []string{}
		for _, s := range c.Sinks {
			sinks = append(sinks, s.Name)
		}
		if diff := cmp.Diff(want, [2][]string{names(c), sinks}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", receiver, diff)
		}
	}
	if err := p.get("own", e); err != nil {
		t.Fatal(err)
	}
	if want := "http://" + name + "." + p.namespace + ".svc:8080" + e.Path(); e.Status.URL != want || e.Status.Receiver != name {
		t.Errorf("url %s, receiver %s", e.Status.URL, e.Status.Receiver)
	}
	p.editsRollNothing(name)
}

// editsRollNothing changes an endpoint, a sink and a Secret, and compares the pod template before and after.
func (p *place) editsRollNothing(receiver string) {
	p.t.Helper()
	var before, after appsv1.Deployment
	if err := p.get(receiver, &before); err != nil {
		p.t.Fatal(err)
	}
	configuration := func() string {
		var s corev1.Secret
		if err := p.get(children.ConfigSecretName(receiver), &s); err != nil {
			p.t.Fatal(err)
		}
		return s.Annotations[children.ConfigHashAnnotation]
	}
	e, s, credentials := endpoint("own", "", ""), sink("crm"), secret("credentials", "")
	for what, change := range map[string]func(){
		"endpoint": func() { p.edit(e, func() { e.Spec.Routes[0].Filter = `event.type == "email.bounced"` }) },
		"sink":     func() { p.edit(s, func() { s.Spec.Delivery.MaxInFlight = 7 }) },
		"Secret":   func() { p.edit(credentials, func() { credentials.Data["key"] = []byte("second") }) },
	} {
		hash := configuration()
		change()
		eventually(p.t, func() error {
			if configuration() == hash {
				return fmt.Errorf("the edit of the %s is not in the configuration", what)
			}
			return p.ready("own")
		})
	}
	if err := p.get(receiver, &after); err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		p.t.Errorf("the Deployment changed (-before +after):\n%s", diff)
	}
}

// testADedicatedReceiverIsRemoved deletes its endpoint. No garbage collector runs here.
func testADedicatedReceiverIsRemoved(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	p.create(endpoint("e0", "credentials", "crm"), dedicated("own", v1alpha1.Receiver{}))
	name := children.DedicatedName("own")
	p.available(&appsv1.Deployment{}, name)
	p.remove(endpoint("own", "", ""))
	p.gone(name, &appsv1.Deployment{})
	p.gone(children.PeersName(name), &corev1.Service{})
	p.gone(children.ConfigSecretName(name), &corev1.Secret{})
	if err := p.get(children.Name, &appsv1.Deployment{}); err != nil {
		t.Errorf("the shared receiver: %v", err)
	}
}

// testAMoveDropsNoRequest gives an endpoint a receiver of its own: the shared one serves it until that is programmed.
func testAMoveDropsNoRequest(t *testing.T) {
	t.Parallel()
	p := served(t, 2)
	name := children.DedicatedName("e0")
	e := endpoint("e0", "", "")
	p.edit(e, func() { e.Spec.Receiver = &v1alpha1.Receiver{} })
	eventually(t, func() error {
		_, err := p.configOf(name)
		return err
	})
	both := func() error {
		c, err := p.config()
		if err == nil && len(c.Endpoints) != 2 {
			err = fmt.Errorf("the shared receiver serves %v", names(c))
		}
		return err
	}
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, v1alpha1.ReasonMinimumReplicasUnavailable)
	})
	if err := p.get("e0", e); err != nil || e.Status.Receiver != children.Name || both() != nil {
		t.Fatalf("before the new receiver: served by %s; %v %v", e.Status.Receiver, err, both())
	}
	p.available(&appsv1.Deployment{}, name)
	p.pod("own-0", name)
	eventually(t, func() error { return p.ready("e0") })
	if err := p.get("e0", e); err != nil || e.Status.URL != "http://"+name+"."+p.namespace+".svc:8080"+e.Path() {
		t.Errorf("url %s, %v", e.Status.URL, err)
	}
	if err := both(); err != nil {
		t.Errorf("as soon as the new receiver serves: %v", err)
	}
	eventually(t, func() error {
		if both() == nil {
			return errors.New("the shared receiver serves it still")
		}
		return p.get("e0", e)
	})
	if e.Status.Receiver != name {
		t.Errorf("receiver %s", e.Status.Receiver)
	}
}

// testTheSharedReceiverStaysForItsSinks takes its last endpoint away while another one has a receiver of its own.
func testTheSharedReceiverStaysForItsSinks(t *testing.T) {
	t.Parallel()
	for what, leave := range map[string]func(*place){
		"the endpoint moves": func(p *place) {
			e := endpoint("e0", "", "")
			p.edit(e, func() { e.Spec.Receiver = &v1alpha1.Receiver{} })
			p.available(&appsv1.Deployment{}, children.DedicatedName("e0"))
			p.pod("e0-0", children.DedicatedName("e0"))
		},
		"the endpoint is deleted": func(p *place) { p.remove(endpoint("e0", "", "")) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := served(t, 1)
			p.create(dedicated("own", v1alpha1.Receiver{}))
			eventually(t, func() error { return p.get(children.DedicatedName("own"), &appsv1.Deployment{}) })
			leave(p)
			eventually(t, func() error {
				c, err := p.config()
				if err == nil && (len(c.Endpoints) != 0 || len(c.Sinks) != 1) {
					err = fmt.Errorf("the shared receiver has %+v", c)
				}
				return err
			})
			if err := p.get(children.Name, &appsv1.Deployment{}); err != nil {
				t.Errorf("the shared receiver, whose pods may owe the sink events: %v", err)
			}
			p.remove(sink("crm"))
			p.gone(children.Name, &appsv1.Deployment{})
		})
	}
}

// servedByItsOwn returns a namespace with an endpoint that its own receiver serves, and the name of that.
func servedByItsOwn(t *testing.T) (p *place, e *v1alpha1.WebhookEndpoint, receiver string) {
	t.Helper()
	p, e, receiver = prepared(t), dedicated("own", v1alpha1.Receiver{}), children.DedicatedName("own")
	p.create(e)
	p.available(&appsv1.Deployment{}, receiver)
	p.pod("own-0", receiver)
	eventually(t, func() error { return p.ready("own") })
	return p, e, receiver
}

// testClaimsInsteadOfADeployment puts a journal on claims: the Deployment goes when the StatefulSet has a pod.
func testClaimsInsteadOfADeployment(t *testing.T) {
	t.Parallel()
	p, e, name := servedByItsOwn(t)
	p.edit(e, func() {
		e.Spec.Receiver.Journal = v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{
			Persistence: v1alpha1.PersistenceClaim, Size: resource.MustParse("2Gi"),
		}}
	})
	var set appsv1.StatefulSet
	eventually(t, func() error { return p.get(name, &set) })
	eventually(t, func() error { return p.ready("own") })
	if err := p.get(name, &appsv1.Deployment{}); err != nil {
		t.Errorf("the Deployment, before the StatefulSet has a pod: %v", err)
	}
	if size := set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage(); size.String() != "2Gi" {
		t.Errorf("claims of %v", size)
	}
	p.available(&appsv1.StatefulSet{}, name)
	p.gone(name, &appsv1.Deployment{})
	if err := p.get(children.PeersName(name), &corev1.Service{}); err != nil {
		t.Errorf("the Service of the StatefulSet: %v", err)
	}
}

// testTheHandoffKeyIsKept edits everything around it.
func testTheHandoffKeyIsKept(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	key := func() string {
		var s corev1.Secret
		if err := p.get(children.ConfigSecretName(children.Name), &s); err != nil {
			t.Fatal(err)
		}
		return string(s.Data["handoff.key"])
	}
	first := key()
	if len(first) != 64 {
		t.Fatalf("a key of %d characters", len(first))
	}
	p.create(endpoint("e1", "credentials", "crm"))
	eventually(t, func() error { return p.ready("e1") })
	if key() != first {
		t.Error("the key has changed")
	}
}

// testSinksThatMayBeOwedEvents takes a route away: the sink stays in the configuration, for what was accepted before.
func testSinksThatMayBeOwedEvents(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	e := dedicated("own", v1alpha1.Receiver{})
	p.create(sink("other"), sink("none"), e)
	name := children.DedicatedName("own")
	p.available(&appsv1.Deployment{}, name)
	p.edit(e, func() { e.Spec.Routes[0].SinkRef.Name = "other" })
	eventually(t, func() error {
		c, err := p.configOf(name)
		if err == nil && (len(c.Sinks) != 2 || c.Endpoints[0].Routes[0].Sink != "other") {
			err = fmt.Errorf("%+v", c)
		}
		return err
	})
	p.remove(sink("crm"))
	eventually(t, func() error {
		c, err := p.configOf(name)
		if err == nil && len(c.Sinks) != 1 {
			err = fmt.Errorf("%+v", c.Sinks)
		}
		return err
	})
}

// testASinkThatIsUnusableForAMoment deletes its Secret and creates it again, when no route leads to the sink any more.
func testASinkThatIsUnusableForAMoment(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	former := sink("former")
	former.Spec = v1alpha1.EventSinkSpec{Type: v1alpha1.SinkHTTP, HTTP: &v1alpha1.HTTPSink{
		URL: "https://sink.example.com/", SigningSecretRefs: []v1alpha1.SecretKeyReference{{Name: "signing", Key: "key"}},
	}}
	e := dedicated("own", v1alpha1.Receiver{})
	e.Spec.Routes[0].SinkRef.Name = former.Name
	p.create(secret("signing", "value"), former, e)
	has := func(want ...string) {
		t.Helper()
		eventually(t, func() error {
			c, err := p.configOf(children.DedicatedName("own"))
			if err != nil {
				return err
			}
			sinks := []string{}
			for _, s := range c.Sinks {
				sinks = append(sinks, s.Name)
			}
			if !slices.Equal(sinks, want) {
				return fmt.Errorf("sinks %v, want %v", sinks, want)
			}
			return nil
		})
	}
	has("former")
	p.edit(e, func() { e.Spec.Routes[0].SinkRef.Name = "crm" })
	has("crm", "former")
	p.remove(secret("signing", ""))
	has("crm")
	p.create(secret("signing", "value"))
	has("crm", "former")
}
