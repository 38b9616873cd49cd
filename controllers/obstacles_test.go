package controllers_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// testAForeignDeployment is there before the first endpoint. It is left alone, and the endpoint says why it is not ready.
func testAForeignDeployment(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	labels := map[string]string{"app": "other"}
	foreign := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: "other.example.com/other"}}},
		},
	}}
	foreign.Name = children.Name
	p.create(foreign, secret("credentials", "value"), sink("crm"), endpoint("e0", "credentials", "crm"))
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
	})
	var now appsv1.Deployment
	if err := p.get(children.Name, &now); err != nil || now.ResourceVersion != foreign.ResourceVersion {
		t.Errorf("the foreign Deployment was touched: %v", err)
	}
}

// testAForeignConfiguration keeps pods from loading what somebody else has written.
func testAForeignConfiguration(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.create(secret(children.ConfigSecretName(children.Name), "foreign"), secret("credentials", "value"), sink("crm"), endpoint("e0", "credentials", "crm"))
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
	})
	if err := p.get(children.Name, &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment: %v", err)
	}
	p.remove(secret(children.ConfigSecretName(children.Name), ""))
	p.serve()
	eventually(t, func() error { return p.ready("e0") })
}

// testATooLargeConfiguration adds more than fits into all Secrets of a configuration. What was there before goes on, also
// when a manager starts that brings another image.
func testATooLargeConfiguration(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	before, err := p.config()
	if err != nil {
		t.Fatal(err)
	}
	large := p.large("large", 8)
	large.Spec.Authentication.PathToken.SecretRefs = p.noise("token", 8)
	p.create(large)
	eventually(t, func() error {
		return p.is("large", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonConfigurationTooLarge)
	})
	if err := p.ready("e0"); err != nil {
		t.Errorf("the other endpoint: %v", err)
	}
	if after, err := p.config(); err != nil || len(after.Endpoints) != len(before.Endpoints) {
		t.Errorf("other endpoints than before: %v", err)
	}
	var applied []string
	manager := byHand(t, dry(func(o *unstructured.Unstructured, _ string, _ func() error) error {
		applied = append(applied, o.GetKind())
		return nil
	}))
	if _, err := manager.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: p.namespace, Name: children.Name}}); err != nil {
		t.Error(err)
	}
	if !slices.Contains(applied, "Deployment") || slices.Contains(applied, "Secret") {
		t.Errorf("a manager that has just started applies %v", applied)
	}
	p.remove(endpoint("large", "", ""))
	p.create(endpoint("e1", "credentials", "crm"))
	eventually(t, func() error { return p.ready("e1") })
}

// large returns an endpoint with as many credentials as noise returns.
func (p *place) large(name string, credentials int) *v1alpha1.WebhookEndpoint {
	p.t.Helper()
	e := endpoint(name, "", "crm")
	e.Spec.Provider.EmailEngine.ServiceSecretRefs = p.noise(name, credentials)
	return e
}

// noise makes Secrets that take more than half of what the tests have one Secret of a configuration hold.
func (p *place) noise(name string, count int) []v1alpha1.SecretKeyReference {
	p.t.Helper()
	refs := make([]v1alpha1.SecretKeyReference, count)
	random := make([]byte, 40<<10)
	for i := range refs {
		refs[i] = v1alpha1.SecretKeyReference{Name: fmt.Sprintf("%s-%d", name, i), Key: "key"}
		_, _ = rand.Read(random) // which never fails
		p.create(secret(refs[i].Name, base64.StdEncoding.EncodeToString(random)))
	}
	return refs
}

// testAConfigurationOfParts grows a configuration beyond what one Secret holds, and lets it shrink again.
func testAConfigurationOfParts(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	p.create(p.large("large", 4))
	has := func(name string, credentials int) error {
		c, err := p.config()
		if err != nil {
			return err
		}
		for i := range c.Endpoints {
			if e := &c.Endpoints[i]; e.Name == name && strings.Count(string(e.Provider.Settings), ",") == credentials-1 {
				return nil
			}
		}
		return fmt.Errorf("%s with %d credentials is not in the configuration of %d endpoints", name, credentials, len(c.Endpoints))
	}
	eventually(t, func() error { return has("large", 4) })
	eventually(t, func() error { return p.ready("large") })
	var part corev1.Secret
	if err := p.get(children.PartSecretName(children.Name, 2), &part); err != nil {
		t.Fatal(err)
	}
	p.edit(&part, func() { part.Data = nil })
	eventually(t, func() error { return has("large", 4) }) // what somebody else changes is put right
	p.remove(endpoint("large", "", ""))
	for i := range 3 {
		p.gone(children.PartSecretName(children.Name, i), &corev1.Secret{})
	}
	if err := p.ready("e0"); err != nil {
		t.Error(err)
	}
}

// testAQuota refuses the receiver's objects until it is lifted.
func testAQuota(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	quota := p.none("deployments.apps")
	p.create(secret("credentials", "value"), sink("crm"), endpoint("e0", "credentials", "crm"))
	eventually(t, func() error {
		return p.is("e0", v1alpha1.ConditionReceiverAvailable, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed)
	})
	p.remove(quota)
	p.serve()
	eventually(t, func() error { return p.ready("e0") })
}

// none lets the API server refuse every object of a kind in the namespace.
func (p *place) none(resources string) *corev1.ResourceQuota {
	p.t.Helper()
	hard := corev1.ResourceList{corev1.ResourceName("count/" + resources): resource.MustParse("0")}
	quota := &corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: hard}}
	quota.Name = "none"
	p.create(quota)
	eventually(p.t, func() error { // no controller counts here
		quota.Status = corev1.ResourceQuotaStatus{Hard: hard, Used: hard}
		return p.client.Status().Update(p.t.Context(), quota)
	})
	return quota
}

// testARefusedChange asks for claims that a quota forbids. What runs goes on, and the endpoint says that it is not as asked.
func testARefusedChange(t *testing.T) {
	t.Parallel()
	p, e, name := servedByItsOwn(t)
	quota := p.none("statefulsets.apps")
	p.edit(e, func() {
		e.Spec.Receiver.Journal = v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{Persistence: v1alpha1.PersistenceClaim}}
	})
	eventually(t, func() error {
		return p.is("own", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed)
	})
	const yes, refused = "True Reconciled", "False ApplyFailed"
	want := map[string]string{"Ready": refused, "ReferencesResolved": yes, "RoutesReady": yes, "ReceiverAvailable": yes, "Programmed": refused}
	if diff := cmp.Diff(want, p.conditions("own")); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if err := p.get("own", e); err != nil {
		t.Fatal(err)
	}
	if c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady); !strings.Contains(c.Message, `statefulsets.apps "`+name+`"`) {
		t.Errorf("message: %s", c.Message)
	}
	p.remove(quota)
	eventually(t, func() error { return p.ready("own") })
}

// testAMoveToAPathThatIsTaken gives up a receiver for the shared one, where the path belongs to another endpoint. Requests go on to
// reach the former receiver, which answers 503 and not 404, until the path is free.
func testAMoveToAPathThatIsTaken(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	var e0 v1alpha1.WebhookEndpoint
	if err := p.get("e0", &e0); err != nil {
		t.Fatal(err)
	}
	e := exposed("own", p.namespace+".example.com")
	e.Spec.Path, e.Spec.Receiver = e0.Path(), &v1alpha1.Receiver{}
	p.create(e)
	name := children.DedicatedName("own")
	p.available(&appsv1.Deployment{}, name)
	p.pod("own-0", name)
	eventually(t, func() error { return p.ready("own") })
	p.edit(e, func() { e.Spec.Receiver = nil })
	eventually(t, func() error {
		return p.is("own", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPathConflict)
	})
	c, err := p.configOf(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Endpoints) != 1 || c.Endpoints[0].State != config.Unavailable || c.Endpoints[0].Path != e.Spec.Path {
		t.Errorf("the former receiver has %+v", c.Endpoints)
	}
	if c, err := p.config(); err != nil || !slices.Equal(names(c), []string{"e0"}) {
		t.Errorf("the shared receiver has %+v, %v", c, err)
	}
	var ingress networkingv1.Ingress
	if err := p.get("mailvane-own", &ingress); err != nil {
		t.Fatal(err)
	}
	if backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name; backend != name {
		t.Errorf("the Ingress leads to %s", backend)
	}
	p.remove(endpoint("e0", "", ""))
	eventually(t, func() error { return p.ready("own") })
}
