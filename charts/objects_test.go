package charts_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/test/controlplane"
)

const regenerate = "run \"make generate\""

func managerDeployment(t *testing.T, objects []client.Object) *appsv1.Deployment {
	t.Helper()
	return one[*appsv1.Deployment](t, objects)
}

// source decodes a file of the folder "config".
func source(t *testing.T, path string) []client.Object {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("..", "config", path))
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, string(text))
}

// TestCopies compares the files that the chart has of its own with those that they are copies of.
func TestCopies(t *testing.T) {
	t.Parallel()

	read := func(pattern string) map[string]string {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		texts := map[string]string{}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[filepath.Base(path)] = string(text)
		}
		return texts
	}
	for copied, original := range map[string]string{
		"mailvane/files/crds/*": "../config/crd/bases/*", "mailvane/files/role.yaml": "../config/rbac/role.yaml",
		"mailvane/files/policies.yaml": "../config/policy/policies.yaml",
	} {
		if diff := cmp.Diff(read(original), read(copied)); diff != "" {
			t.Errorf("%s differs from %s: %s (-want +got):\n%s", copied, original, regenerate, diff)
		}
	}
}

func TestDefinitions(t *testing.T) {
	t.Parallel()

	want, err := controlplane.Definitions()
	if err != nil {
		t.Fatal(err)
	}
	const policy = "helm.sh/resource-policy"
	for values, keep := range map[string]string{"": "keep", "crds: {keep: false}": ""} {
		got := find[*apiextensionsv1.CustomResourceDefinition](render(t, values))
		if len(got) != len(want) {
			t.Fatalf("%d definitions, want %d", len(got), len(want))
		}
		for i, d := range got {
			if diff := cmp.Diff(want[i].Spec, d.Spec); diff != "" || d.Name != want[i].Name {
				t.Errorf("%s for %s (-want +got):\n%s", d.Name, want[i].Name, diff)
			}
			if d.Annotations[policy] != keep || d.Labels["app.kubernetes.io/managed-by"] != "Helm" {
				t.Errorf("%s with values %q: annotations %v, labels %v", d.Name, values, d.Annotations, d.Labels)
			}
		}
	}
}

func TestClusterRoles(t *testing.T) {
	t.Parallel()

	want, objects := source(t, "rbac/role.yaml"), render(t, "")
	objects, _ = withoutAccess(objects)
	role, binding := one[*rbacv1.ClusterRole](t, objects), one[*rbacv1.ClusterRoleBinding](t, objects)
	if diff := cmp.Diff(one[*rbacv1.ClusterRole](t, want).Rules, role.Rules); diff != "" {
		t.Errorf("%s (-want +got):\n%s", regenerate, diff)
	}
	if binding.RoleRef != (rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}) {
		t.Errorf("bound to %v", binding.RoleRef)
	}
	checkSubjects(t, objects, binding.Subjects)
	checkRoles(t, objects, map[string][]rbacv1.PolicyRule{
		namespace + "/mailvane-manager-leader-election": leaseRules(t, want),
	})
}

// TestNamespacedRoles checks that the manager gets nothing outside of the namespaces that it looks after.
func TestNamespacedRoles(t *testing.T) {
	t.Parallel()

	want, objects := source(t, "rbac/role.yaml"), render(t, "watchNamespaces: [mail, mailvane-system]")
	objects, access := withoutAccess(objects)
	if len(access) != 6 {
		t.Errorf("%d roles for people, want 3 in each namespace", len(access))
	}
	if roles := find[*rbacv1.ClusterRole](objects); len(roles) != 0 {
		t.Errorf("ClusterRole %s", roles[0].Name)
	}
	if bindings := find[*rbacv1.ClusterRoleBinding](objects); len(bindings) != 0 {
		t.Errorf("ClusterRoleBinding %s", bindings[0].Name)
	}
	rules := one[*rbacv1.ClusterRole](t, want).Rules
	checkRoles(t, objects, map[string][]rbacv1.PolicyRule{
		"mail/mailvane-manager":                         rules,
		namespace + "/mailvane-manager":                 rules,
		namespace + "/mailvane-manager-leader-election": leaseRules(t, want),
	})
}

// withoutAccess returns the objects without the roles for people, and those.
func withoutAccess(objects []client.Object) (others, access []client.Object) {
	for _, o := range objects {
		kind := o.GetObjectKind().GroupVersionKind().Kind
		right := o.GetName()[strings.LastIndexByte(o.GetName(), '-')+1:]
		if (kind == "Role" || kind == "ClusterRole") && slices.Contains([]string{"viewer", "operator", "privacy"}, right) {
			access = append(access, o)
			continue
		}
		others = append(others, o)
	}
	return others, access
}

// TestRolesForPeopleAreThoseOfKustomize compares the rules, which bind nobody.
func TestRolesForPeopleAreThoseOfKustomize(t *testing.T) {
	t.Parallel()

	rules := func(objects []client.Object) map[string][]rbacv1.PolicyRule {
		all := map[string][]rbacv1.PolicyRule{}
		for _, role := range find[*rbacv1.ClusterRole](objects) {
			all[role.Name] = role.Rules
		}
		return all
	}
	_, access := withoutAccess(render(t, ""))
	if diff := cmp.Diff(rules(source(t, "rbac/access_roles.yaml")), rules(access)); diff != "" {
		t.Errorf("(-config +chart):\n%s", diff)
	}
	for name, rules := range rules(access) {
		if got := rules[len(rules)-1].ResourceNames; !slices.Equal(got, []string{"mailvane-receiver-admin-" + strings.TrimPrefix(name, "mailvane-")}) {
			t.Errorf("%s reads the Secrets %v", name, got)
		}
	}
}

// leaseRules returns the rules for the Lease of the manager, under the name that the release gives to it.
func leaseRules(t *testing.T, objects []client.Object) []rbacv1.PolicyRule {
	t.Helper()

	rules := one[*rbacv1.Role](t, objects).Rules
	for i, rule := range rules {
		if len(rule.ResourceNames) > 0 {
			rules[i].ResourceNames = []string{strings.Replace(rule.ResourceNames[0], "manager.mailvane.dev", "mailvane-manager", 1)}
		}
	}
	return rules
}

// TestPolicies checks that the chart has the policies that are generated, under names of the release, bound, and for no other namespaces than the
// release looks after.
func TestPolicies(t *testing.T) {
	t.Parallel()

	wanted := find[*admissionv1.ValidatingAdmissionPolicy](source(t, "policy/policies.yaml"))
	for values, namespaces := range map[string][]string{"": nil, "watchNamespaces: [mail, sales]": {"mail", "sales"}} {
		objects := render(t, values+"\nfullnameOverride: inbound\n")
		policies, bindings := find[*admissionv1.ValidatingAdmissionPolicy](objects), find[*admissionv1.ValidatingAdmissionPolicyBinding](objects)
		if len(policies) != len(wanted) || len(bindings) != len(wanted) {
			t.Fatalf("%d policies, %d bindings, want %d", len(policies), len(bindings), len(wanted))
		}
		for i, policy := range policies {
			if diff := cmp.Diff(wanted[i].Spec, policy.Spec); diff != "" {
				t.Errorf("%s (-generated +chart):\n%s", policy.Name, diff)
			}
			binding := bindings[i]
			if binding.Spec.PolicyName != policy.Name || !strings.HasPrefix(policy.Name, "inbound-") || !slices.Equal(binding.Spec.ValidationActions, []admissionv1.ValidationAction{admissionv1.Deny}) {
				t.Errorf("%s binds %s, %v", binding.Name, binding.Spec.PolicyName, binding.Spec.ValidationActions)
			}
			var selected []string
			if m := binding.Spec.MatchResources; m != nil {
				selected = m.NamespaceSelector.MatchExpressions[0].Values
			}
			if !slices.Equal(selected, namespaces) {
				t.Errorf("%s is for %v, want %v", binding.Name, selected, namespaces)
			}
		}
	}
}

// TestPoliciesOfAClusterWithoutThem renders for an API server that does not serve them, and for one that does.
func TestPoliciesOfAClusterWithoutThem(t *testing.T) {
	t.Parallel()

	const deployments, policies = "apps/v1/Deployment", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
	for versions, served := range map[string]bool{deployments: false, deployments + "," + policies: true, "example.com/v1": true} {
		text, err := helm(t, "", "template", release, chart, "--namespace", namespace, "--kube-version", kubernetes, "--api-versions", versions)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "kind: ValidatingAdmissionPolicy\n") != served {
			t.Errorf("a cluster with %s: want policies: %t", versions, served)
		}
	}
	notes, err := os.ReadFile("mailvane/templates/NOTES.txt")
	if err != nil || !strings.Contains(string(notes), `not (include "mailvane.servesPolicies" .)`) {
		t.Errorf("the notes do not say so: %v", err)
	}
}

// TestLimitsAreTheDefaults compares the limits of the chart with those of a manager that is told none.
func TestLimitsAreTheDefaults(t *testing.T) {
	t.Parallel()

	for _, m := range find[*corev1.ConfigMap](render(t, "")) {
		var got limits.Limits
		if err := yaml.UnmarshalStrict([]byte(m.Data["limits.yaml"]), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(limits.Default(), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-manager +chart):\n%s", diff)
		}
	}
}

// TestLeases checks that each release in a namespace has a Lease of its own, and that its manager may hold it.
func TestLeases(t *testing.T) {
	t.Parallel()

	leases := map[string]string{}
	for values, want := range map[string]string{"": "mailvane-manager", "fullnameOverride: other": "other-manager"} {
		objects := render(t, values)
		for _, arg := range managerDeployment(t, objects).Spec.Template.Spec.Containers[0].Args {
			if name, ok := strings.CutPrefix(arg, "--leader-election-id="); ok {
				leases[values] = name
			}
		}
		objects, _ = withoutAccess(objects)
		var allowed []string
		for _, rule := range one[*rbacv1.Role](t, objects).Rules {
			allowed = append(allowed, rule.ResourceNames...)
		}
		if leases[values] != want || !slices.Equal(allowed, []string{want + "-hosts", want}) {
			t.Errorf("with values %q the manager holds %q and may hold %q, want %q", values, leases[values], allowed, want)
		}
	}
}

// checkRoles checks all Roles, and that each is bound to the manager's service account.
func checkRoles(t *testing.T, objects []client.Object, want map[string][]rbacv1.PolicyRule) {
	t.Helper()

	got := map[string][]rbacv1.PolicyRule{}
	for _, role := range find[*rbacv1.Role](objects) {
		got[role.Namespace+"/"+role.Name] = role.Rules
		for _, rule := range role.Rules {
			if slices.Contains(slices.Concat(rule.Verbs, rule.APIGroups, rule.Resources), "*") {
				t.Errorf("%s: a wildcard in %v", role.Name, rule)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	bindings := find[*rbacv1.RoleBinding](objects)
	for _, b := range bindings {
		if _, ok := want[b.Namespace+"/"+b.RoleRef.Name]; !ok || b.RoleRef.Kind != "Role" {
			t.Errorf("%s/%s is bound to %v", b.Namespace, b.Name, b.RoleRef)
		}
		checkSubjects(t, objects, b.Subjects)
	}
	if len(bindings) != len(want) {
		t.Errorf("%d bindings, want %d", len(bindings), len(want))
	}
}

func checkSubjects(t *testing.T, objects []client.Object, got []rbacv1.Subject) {
	t.Helper()

	account := one[*corev1.ServiceAccount](t, objects)
	want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: namespace}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
	if used := managerDeployment(t, objects).Spec.Template.Spec.ServiceAccountName; used != account.Name {
		t.Errorf("the manager runs as %q, want %q", used, account.Name)
	}
}

// TestManagerIsThatOfKustomize compares the pods of the chart with those of config/manager, but for what is theirs to choose.
func TestManagerIsThatOfKustomize(t *testing.T) {
	t.Parallel()

	var pods [2]*corev1.PodSpec
	for i, objects := range [][]client.Object{source(t, "manager/deployment.yaml"), render(t, "")} {
		pod := &managerDeployment(t, objects).Spec.Template.Spec
		pod.ServiceAccountName, pod.AutomountServiceAccountToken, pod.EnableServiceLinks = "", nil, nil
		c := &pod.Containers[0]
		c.Image, c.ImagePullPolicy, c.Args, c.Env = "", "", nil, nil
		pods[i] = pod
	}
	if diff := cmp.Diff(pods[0], pods[1]); diff != "" {
		t.Errorf("pods (-config/manager +chart):\n%s", diff)
	}
}

// TestFlags checks that the manager knows the flags that the chart sets.
func TestFlags(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../cmd/manager/main.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, match := range regexp.MustCompile(`Var\(&s\.\w+, "([a-z-]+)"`).FindAllStringSubmatch(string(text), -1) {
		known[match[1]] = true
	}
	args := managerDeployment(t, render(t, everything)).Spec.Template.Spec.Containers[0].Args
	for _, arg := range args {
		if name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "="); !known[name] {
			t.Errorf("%s: no such flag among %v", arg, known)
		}
	}
}

// TestLabels checks that all objects can be found, and that the manager takes none of them for its own. Labels of the user's choice
// change neither.
func TestLabels(t *testing.T) {
	t.Parallel()

	for _, o := range render(t, everything+"metrics: {serviceMonitor: {enabled: true}}\n"+`
podLabels: {app.kubernetes.io/managed-by: mailvane, app.kubernetes.io/component: other}
commonLabels: {app.kubernetes.io/managed-by: mailvane, app.kubernetes.io/name: other, cost-centre: "7"}
`) {
		labels := o.GetLabels()
		if labels[children.ManagedByLabel] == children.ManagedByValue || labels["cost-centre"] != "7" {
			t.Errorf("%T %s: %v", o, o.GetName(), labels)
		}
		for _, key := range []string{"name", "instance", "part-of"} {
			if labels["app.kubernetes.io/"+key] != "mailvane" {
				t.Errorf("%T %s: %v", o, o.GetName(), labels)
			}
		}
	}
}

// TestSelectors checks that everything that selects pods selects the manager's, and that the ports have names that they know.
func TestSelectors(t *testing.T) {
	t.Parallel()

	objects := render(t, everything)
	deployment := managerDeployment(t, objects)
	for what, selector := range map[string]map[string]string{
		"Deployment":    deployment.Spec.Selector.MatchLabels,
		"Service":       one[*corev1.Service](t, objects).Spec.Selector,
		"NetworkPolicy": one[*networkingv1.NetworkPolicy](t, objects).Spec.PodSelector.MatchLabels,
	} {
		for key, value := range selector {
			if deployment.Spec.Template.Labels[key] != value {
				t.Errorf("%s: %s=%s is not among %v", what, key, value, deployment.Spec.Template.Labels)
			}
		}
		if len(selector) != 3 {
			t.Errorf("%s: selects by %v", what, selector)
		}
	}
	target := one[*corev1.Service](t, objects).Spec.Ports[0].TargetPort.StrVal
	named := func(p corev1.ContainerPort) bool { return p.Name == target }
	if ports := deployment.Spec.Template.Spec.Containers[0].Ports; !slices.ContainsFunc(ports, named) {
		t.Errorf("no port %q among %v", target, ports)
	}
}
