package controllers_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// exposed returns an endpoint that is reached at a host, through an Ingress.
func exposed(name, host string) *v1alpha1.WebhookEndpoint {
	e := endpoint(name, "credentials", "crm")
	e.Spec.Path = "/hooks/" + name
	e.Spec.Exposure = &v1alpha1.Exposure{Host: host, Ingress: &v1alpha1.IngressExposure{
		ClassName: "nginx", TLSSecretName: "hooks-tls", Annotations: map[string]string{"example.com/issuer": "main"},
	}}
	return e
}

func (p *place) isExposed(name string, status metav1.ConditionStatus, reason string) error {
	return p.is(name, v1alpha1.ConditionExposed, status, reason)
}

// testAnIngress follows an Ingress from its making over a move of its endpoint and a change of its host to its end.
func testAnIngress(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	host := p.namespace + ".example.com"
	e := exposed("e0", host)
	p.create(e)
	p.serve()
	eventually(t, func() error { return p.ready("e0") })
	if err := p.isExposed("e0", metav1.ConditionUnknown, v1alpha1.ReasonIngressPending); err != nil {
		t.Error(err)
	}
	var ingress networkingv1.Ingress
	if err := p.get("mailvane-e0", &ingress); err != nil {
		t.Fatal(err)
	}
	if owner := metav1.GetControllerOf(&ingress); owner == nil || owner.UID != e.UID || ingress.Annotations["example.com/issuer"] != "main" {
		t.Errorf("%+v", ingress.ObjectMeta)
	}
	backend := func() string {
		if err := p.get("mailvane-e0", &ingress); err != nil {
			t.Fatal(err)
		}
		return ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name
	}
	if got := backend(); got != children.Name {
		t.Errorf("it leads to %s", got)
	}
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.7"}}
	if err := p.client.Status().Update(t.Context(), &ingress); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return p.isExposed("e0", metav1.ConditionTrue, v1alpha1.ReasonReconciled) })
	if err := p.get("e0", e); err != nil || e.Status.URL != "https://"+host+"/hooks/e0" {
		t.Errorf("url %s, %v", e.Status.URL, err)
	}

	p.edit(e, func() { e.Spec.Receiver = &v1alpha1.Receiver{} })
	name := children.DedicatedName("e0")
	eventually(t, func() error { return p.get(name, &appsv1.Deployment{}) })
	if got := backend(); got != children.Name {
		t.Errorf("before the new receiver has a pod, it leads to %s", got)
	}
	p.available(&appsv1.Deployment{}, name)
	p.pod("own-0", name)
	eventually(t, func() error {
		if got := backend(); got != name {
			return fmt.Errorf("it leads to %s", got)
		}
		return nil
	})

	p.edit(e, func() { e.Spec.Exposure = nil })
	p.gone("mailvane-e0", &ingress)
	eventually(t, func() error {
		if err := p.get("e0", e); err != nil {
			return err
		}
		for _, c := range e.Status.Conditions {
			if c.Type == v1alpha1.ConditionExposed {
				return fmt.Errorf("%+v", c)
			}
		}
		return nil
	})
}

// testAForeignIngress has the name of ours.
func testAForeignIngress(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	foreign := &networkingv1.Ingress{Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
		Service: &networkingv1.IngressServiceBackend{Name: "other", Port: networkingv1.ServiceBackendPort{Number: 80}},
	}}}
	foreign.Name = "mailvane-e0"
	p.create(foreign, exposed("e0", p.namespace+".example.com"))
	eventually(t, func() error { return p.isExposed("e0", metav1.ConditionFalse, v1alpha1.ReasonNameTaken) })
	var now networkingv1.Ingress
	if err := p.get("mailvane-e0", &now); err != nil || now.ResourceVersion != foreign.ResourceVersion {
		t.Errorf("it was touched: %v", err)
	}
}

// testAHostConflict has two endpoints of two namespaces at one host and path. The first one has it. When it goes, the second one, which may have
// waited for that, does not get it before an administrator gives it away.
func testAHostConflict(t *testing.T) {
	t.Parallel()
	first, second := prepared(t), prepared(t)
	host := first.namespace + ".example.com"
	first.create(exposed("e", host))
	first.knownIngress("mailvane-e")
	second.create(exposed("e", host))
	second.serve()
	eventually(t, func() error { return second.isExposed("e", metav1.ConditionFalse, v1alpha1.ReasonHostConflict) })
	second.gone("mailvane-e", &networkingv1.Ingress{})
	var e v1alpha1.WebhookEndpoint
	if err := second.get("e", &e); err != nil || strings.Contains(e.Status.URL, host) {
		t.Errorf("url %s, %v", e.Status.URL, err)
	}
	if err := first.isExposed("e", metav1.ConditionUnknown, v1alpha1.ReasonIngressPending); err != nil {
		t.Error(err)
	}
	first.remove(endpoint("e", "", ""))
	first.gone("mailvane-e", &networkingv1.Ingress{})
	second.edit(&e, func() { e.Spec.MaxBodySize = resource.MustParse("1Mi") })
	eventually(t, func() error { return second.isExposed("e", metav1.ConditionFalse, v1alpha1.ReasonHostReserved) })
	if err := second.get("mailvane-e", &networkingv1.Ingress{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Ingress of who waited: %v", err)
	}
	first.create(exposed("e", host)) // which is installed anew
	eventually(t, func() error { return first.get("mailvane-e", &networkingv1.Ingress{}) })
	first.remove(endpoint("e", "", ""))
	first.gone("mailvane-e", &networkingv1.Ingress{})

	first.giveAway(host + "/hooks/e")
	second.edit(&e, func() { e.Spec.MaxBodySize = resource.MustParse("2Mi") })
	eventually(t, func() error { return second.get("mailvane-e", &networkingv1.Ingress{}) })
	eventually(t, func() error { return second.ready("e") })
}

// giveAway removes the claim of a host and path, as an administrator does.
func (p *place) giveAway(url string) {
	p.t.Helper()
	eventually(p.t, func() error {
		var claims corev1.ConfigMap
		if err := p.client.Get(p.t.Context(), client.ObjectKey{Namespace: "mailvane-system", Name: "manager.mailvane.dev-hosts"}, &claims); err != nil {
			return err
		}
		count := len(claims.Data)
		maps.DeleteFunc(claims.Data, func(_, value string) bool { return value == p.namespace+" "+url })
		if len(claims.Data) != count-1 {
			return fmt.Errorf("%s is not claimed", url)
		}
		return p.client.Update(p.t.Context(), &claims)
	})
}

// testOthersAddToAnIngress has cert-manager, and somebody with a certificate, add to an Ingress. It stays, through edits of the endpoint, and nobody
// takes turns.
func testOthersAddToAnIngress(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	e := exposed("e0", p.namespace+".example.com")
	p.create(e)
	p.serve()
	eventually(t, func() error { return p.ready("e0") })
	var ingress networkingv1.Ingress
	if err := p.get("mailvane-e0", &ingress); err != nil {
		t.Fatal(err)
	}
	exact := networkingv1.PathTypeExact
	rule := ingress.Spec.Rules[0].HTTP
	rule.Paths = append([]networkingv1.HTTPIngressPath{{
		Path: "/.well-known/acme-challenge/TOKEN", PathType: &exact, Backend: networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "cm-acme-http-solver-x", Port: networkingv1.ServiceBackendPort{Number: 8089}},
		},
	}}, rule.Paths...)
	ingress.Spec.TLS = append(ingress.Spec.TLS, networkingv1.IngressTLS{Hosts: []string{"other.example.com"}, SecretName: "other"})
	if err := p.client.Update(t.Context(), &ingress, client.FieldOwner("cert-manager-challenges")); err != nil {
		t.Fatal(err)
	}
	running.writes.take(p.namespace)
	version := ingress.ResourceVersion
	e1 := exposed("e1", p.namespace+".example.com") // whose making has the manager look at all of the namespace
	p.create(e1)
	eventually(t, func() error { return p.get("mailvane-e1", &networkingv1.Ingress{}) })
	p.edit(e, func() { e.Spec.MaxBodySize = resource.MustParse("1Mi") })
	eventually(t, func() error { return p.ready("e0") })
	if err := p.get("mailvane-e0", &ingress); err != nil || ingress.ResourceVersion != version {
		t.Errorf("it was written after cert-manager: %v, %+v", err, ingress.Spec)
	}
	p.edit(e, func() { e.Spec.Path = "/hooks/e0-moved" })
	eventually(t, func() error {
		if err := p.get("mailvane-e0", &ingress); err != nil {
			return err
		}
		var paths []string
		for _, path := range ingress.Spec.Rules[0].HTTP.Paths {
			paths = append(paths, path.Path)
		}
		if diff := cmp.Diff([]string{"/.well-known/acme-challenge/TOKEN", "/hooks/e0-moved"}, paths); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	if len(ingress.Spec.TLS) != 2 {
		t.Errorf("certificates: %+v", ingress.Spec.TLS)
	}
}

// testWhatAnInstallationDoesNotAllow asks for a path of another namespace, for annotations and for pods that the limits do not allow.
func testWhatAnInstallationDoesNotAllow(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	taken, snippet, many := exposed("taken", p.namespace+".example.com"), exposed("snippet", p.namespace+".example.com"), endpoint("many", "credentials", "crm")
	taken.Spec.Path = "/hooks/other/e"
	snippet.Spec.Exposure.Ingress.Annotations = map[string]string{"nginx.ingress.kubernetes.io/configuration-snippet": "x"}
	many.Spec.Receiver = &v1alpha1.Receiver{Replicas: 100}
	p.create(taken, snippet, many)
	eventually(t, func() error { return p.isExposed("taken", metav1.ConditionFalse, v1alpha1.ReasonHostNotAllowed) })
	eventually(t, func() error { return p.isExposed("snippet", metav1.ConditionFalse, v1alpha1.ReasonNotAllowed) })
	eventually(t, func() error {
		return p.is("many", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotAllowed)
	})
	for name, o := range map[string]client.Object{
		"mailvane-taken": &networkingv1.Ingress{}, "mailvane-snippet": &networkingv1.Ingress{}, children.DedicatedName("many"): &appsv1.Deployment{},
	} {
		if err := p.get(name, o); !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// testPodsOfSomebodyElse have the labels of ours, and are neither asked nor waited for.
func testPodsOfSomebodyElse(t *testing.T) {
	t.Parallel()
	p := served(t, 1)
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: children.ContainerName, Image: "other.example.com/other"}}}}
	pod.Name, pod.Labels = "forged", children.Labels(children.Name)
	p.create(pod)
	p.report(pod, corev1.PodStatus{
		PodIP: "192.0.2.66", PodIPs: []corev1.PodIP{{IP: "192.0.2.66"}}, Phase: corev1.PodRunning,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	})
	p.create(endpoint("e1", "credentials", "crm"))
	eventually(t, func() error { return p.ready("e1") })
	if err := p.get("forged", pod); err != nil || len(pod.Annotations) > 0 {
		t.Errorf("%v, %v", pod.Annotations, err)
	}
}

// knownIngress waits until the manager knows of an Ingress that it made.
func (p *place) knownIngress(name string) {
	p.t.Helper()
	eventually(p.t, func() error {
		return running.manager.GetClient().Get(p.t.Context(), client.ObjectKey{Namespace: p.namespace, Name: name}, &networkingv1.Ingress{})
	})
}

// testAHostIsNotTakenOver edits an older endpoint to the host and path of a younger one, which has them.
func testAHostIsNotTakenOver(t *testing.T) {
	t.Parallel()
	older, younger := prepared(t), prepared(t)
	ends := map[*place]*v1alpha1.WebhookEndpoint{older: exposed("e", older.namespace+".example.com"), younger: exposed("e", younger.namespace+".example.com")}
	older.create(ends[older])
	younger.create(ends[younger])
	if ends[older].CreationTimestamp.Equal(&ends[younger].CreationTimestamp) && younger.namespace < older.namespace {
		older, younger = younger, older // of one second, the name decides
	}
	older.knownIngress("mailvane-e")
	younger.knownIngress("mailvane-e")
	host := younger.namespace + ".example.com"
	older.edit(ends[older], func() { ends[older].Spec.Exposure.Host = host })
	eventually(t, func() error { return older.isExposed("e", metav1.ConditionFalse, v1alpha1.ReasonHostConflict) })
	older.gone("mailvane-e", &networkingv1.Ingress{})
	if err := younger.get("mailvane-e", &networkingv1.Ingress{}); err != nil {
		t.Errorf("who had the host: %v", err)
	}
	if err := younger.isExposed("e", metav1.ConditionUnknown, v1alpha1.ReasonIngressPending); err != nil {
		t.Error(err)
	}
	younger.remove(endpoint("e", "", ""))
	younger.gone("mailvane-e", &networkingv1.Ingress{})
	younger.giveAway(host + "/hooks/e")
	older.edit(ends[older], func() { ends[older].Spec.MaxBodySize = resource.MustParse("1Mi") })
	eventually(t, func() error { return older.get("mailvane-e", &networkingv1.Ingress{}) })
}

// routeDefinition returns the definition of HTTPRoutes as the Gateway API brings it.
func routeDefinition(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		t.Fatal(err)
	}
	return &definition
}

// testAnHTTPRoute begins in a cluster without the Gateway API, which then gets it, and loses it again. What a Gateway has said of the
// route before an edit says nothing of the edit.
func testAnHTTPRoute(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	e := exposed("e0", p.namespace+".example.com")
	e.Spec.Exposure.Ingress, e.Spec.Exposure.Gateway = nil, &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayReference{
		{Name: "main", Namespace: "infra", SectionName: "https", Port: 443},
	}}
	p.create(e)
	p.serve()
	missing := func() error { return p.isExposed("e0", metav1.ConditionFalse, v1alpha1.ReasonGatewayAPINotInstalled) }
	eventually(t, missing)
	if err := p.is("e0", v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonReconciled); err != nil {
		eventually(t, func() error {
			return p.is("e0", v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonReconciled)
		})
	}
	definition := routeDefinition(t)
	if err := p.client.Create(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return p.isExposed("e0", metav1.ConditionUnknown, v1alpha1.ReasonRoutePending) })
	p.checkRoute()

	p.routeSays("Accepted", metav1.ConditionFalse, "NotAllowedByListeners")
	eventually(t, func() error { return p.isExposed("e0", metav1.ConditionFalse, v1alpha1.ReasonRouteRefused) })
	p.routeSays("Accepted", metav1.ConditionTrue, "Accepted")
	eventually(t, func() error { return p.ready("e0") })
	if err := p.get("e0", e); err != nil || e.Status.URL != "https://"+p.namespace+".example.com/hooks/e0" {
		t.Errorf("url %s, %v", e.Status.URL, err)
	}

	p.edit(e, func() { e.Spec.Exposure.Host = "other." + p.namespace + ".example.com" })
	eventually(t, func() error { return p.isExposed("e0", metav1.ConditionUnknown, v1alpha1.ReasonRoutePending) })
	p.routeSays("Accepted", metav1.ConditionTrue, "Accepted")
	eventually(t, func() error { return p.ready("e0") })

	p.changesTheKind(e)
	if err := p.client.Delete(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	eventually(t, missing)
}

// changesTheKind exposes an endpoint by an Ingress instead of its HTTPRoute, and back. The former one stays until the new one works.
func (p *place) changesTheKind(e *v1alpha1.WebhookEndpoint) {
	p.t.Helper()
	gateway, ingress := e.Spec.Exposure.Gateway, &networkingv1.Ingress{}
	p.edit(e, func() { e.Spec.Exposure.Gateway, e.Spec.Exposure.Ingress = nil, &v1alpha1.IngressExposure{} })
	eventually(p.t, func() error { return p.isExposed("e0", metav1.ConditionUnknown, v1alpha1.ReasonIngressPending) })
	if _, err := p.route(); err != nil {
		p.t.Errorf("the HTTPRoute, before the Ingress has an address: %v", err)
	}
	if err := p.get("mailvane-e0", ingress); err != nil {
		p.t.Fatal(err)
	}
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.7"}}
	if err := p.client.Status().Update(p.t.Context(), ingress); err != nil {
		p.t.Fatal(err)
	}
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(children.HTTPRouteKind())
	p.gone("mailvane-e0", route)

	p.edit(e, func() { e.Spec.Exposure.Gateway, e.Spec.Exposure.Ingress = gateway, nil })
	eventually(p.t, func() error { return p.isExposed("e0", metav1.ConditionUnknown, v1alpha1.ReasonRoutePending) })
	if err := p.get("mailvane-e0", ingress); err != nil {
		p.t.Errorf("the Ingress, before a Gateway has taken the HTTPRoute: %v", err)
	}
	p.routeSays("Accepted", metav1.ConditionTrue, "Accepted")
	p.gone("mailvane-e0", ingress)
}

func (p *place) route() (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(children.HTTPRouteKind())
	return u, p.get("mailvane-e0", u)
}

// checkRoute reads the route with the types of the Gateway API.
func (p *place) checkRoute() {
	p.t.Helper()
	u, err := p.route()
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := yaml.Marshal(u.Object)
	if err != nil {
		p.t.Fatal(err)
	}
	var route gatewayv1.HTTPRoute
	if err := yaml.UnmarshalStrict(text, &route); err != nil {
		p.t.Fatal(err)
	}
	rule := route.Spec.Rules[0]
	got := fmt.Sprintf("%v %s %s %s:%d at %s/%s", route.Spec.Hostnames, *rule.Matches[0].Path.Type, *rule.Matches[0].Path.Value,
		rule.BackendRefs[0].Name, *rule.BackendRefs[0].Port, *route.Spec.ParentRefs[0].Namespace, route.Spec.ParentRefs[0].Name)
	if diff := cmp.Diff("["+p.namespace+".example.com] Exact /hooks/e0 mailvane-receiver:8080 at infra/main", got); diff != "" {
		p.t.Errorf("(-want +got):\n%s", diff)
	}
}

// routeSays does what the controller of a Gateway does: it speaks of the route as it is.
func (p *place) routeSays(conditionType string, status metav1.ConditionStatus, reason string) {
	p.t.Helper()
	eventually(p.t, func() error {
		u, err := p.route()
		if err != nil {
			return err
		}
		err = unstructured.SetNestedSlice(u.Object, []any{map[string]any{
			"controllerName": "example.com/gateway",
			"parentRef":      map[string]any{"name": "main", "namespace": "infra", "sectionName": "https", "port": int64(443)},
			"conditions": []any{map[string]any{
				"type": conditionType, "status": string(status), "reason": reason, "message": "because",
				"lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": u.GetGeneration(),
			}},
		}}, "status", "parents")
		return errors.Join(err, p.client.Status().Update(p.t.Context(), u, &client.SubResourceUpdateOptions{}))
	})
}
