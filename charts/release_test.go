package charts_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/test/controlplane"
)

// access writes a file by which programs reach the control plane as its administrator, and returns its path.
func access(t *testing.T) string {
	t.Helper()

	config := cluster.Config(t)
	const name = "test"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{name: {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			name: {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken},
		},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRelease installs, upgrades and uninstalls, as docs/installation.md says.
func TestRelease(t *testing.T) {
	t.Parallel()

	_, err := template(t, "") // which skips the test where there is no Helm
	if err != nil {
		t.Fatal(err)
	}
	api, place, kubeconfig := cluster.Client(t), cluster.Namespace(t), access(t)
	run := func(args ...string) string {
		t.Helper()
		output, err := helm(t, "", append(args, "--kubeconfig", kubeconfig, "--namespace", place)...)
		if err != nil {
			t.Fatal(err)
		}
		return output
	}
	// The control plane has the definitions already, like a cluster where a release was before.
	notes := run("install", release, chart, "--take-ownership", "--set", "image.tag=v1")
	if step := "kubectl rollout status deployment/mailvane-manager --namespace " + place + "\n"; !strings.Contains(notes, step) {
		t.Errorf("%q is not in:\n%s", step, notes)
	}
	makeOutdated(t, api)
	run("upgrade", release, chart, "--reset-then-reuse-values", "--set", "receiver.replicas=5")
	checkDefinitions(t, api)
	var deployment appsv1.Deployment
	key := client.ObjectKey{Namespace: place, Name: "mailvane-manager"}
	if err := api.Get(t.Context(), key, &deployment); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--namespace=" + place, "--receiver-image=ghcr.io/mailvane/mailvane:v1", "--receiver-defaults=/etc/mailvane-receiver/receiver.yaml",
		"--limits=/etc/mailvane-receiver/limits.yaml", "--leader-election-id=mailvane-manager", "--metrics-bind-address=:8080", "--health-probe-bind-address=:8081",
	}
	if diff := cmp.Diff(want, deployment.Spec.Template.Spec.Containers[0].Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	var defaults corev1.ConfigMap
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: place, Name: "mailvane-receiver-defaults"}, &defaults); err != nil {
		t.Fatal(err)
	}
	if got := defaults.Data["receiver.yaml"]; got != "replicas: 5\n" {
		t.Errorf("receiver defaults: %q", got)
	}
	run("uninstall", release)
	checkDefinitions(t, api)
	checkNothingElse(t, api, place)
}

// makeOutdated takes from a definition what an older version of it might not have had.
func makeOutdated(t *testing.T, api client.Client) {
	t.Helper()

	var d apiextensionsv1.CustomResourceDefinition
	if err := api.Get(t.Context(), client.ObjectKey{Name: "eventsinks.mailvane.dev"}, &d); err != nil {
		t.Fatal(err)
	}
	before := d.DeepCopy()
	d.Spec.Names.ShortNames = nil
	if err := api.Patch(t.Context(), &d, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// checkDefinitions checks that the definitions are there, and those of this version.
func checkDefinitions(t *testing.T, api client.Client) {
	t.Helper()

	definitions, err := controlplane.Definitions()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range definitions {
		var got apiextensionsv1.CustomResourceDefinition
		if err := api.Get(t.Context(), client.ObjectKeyFromObject(want), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Spec.Names, got.Spec.Names); diff != "" || got.DeletionTimestamp != nil {
			t.Errorf("%s, deleted %v (-want +got):\n%s", got.Name, got.DeletionTimestamp, diff)
		}
	}
}

// checkNothingElse checks that a release left nothing.
func checkNothingElse(t *testing.T, api client.Client, place string) {
	t.Helper()

	for _, list := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &corev1.SecretList{},
	} {
		if err := api.List(t.Context(), list, client.InNamespace(place)); err != nil {
			t.Fatal(err)
		}
		checkEmpty(t, list)
	}
	for _, list := range []client.ObjectList{&rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}, &admissionv1.ValidatingAdmissionPolicyList{}, &admissionv1.ValidatingAdmissionPolicyBindingList{}} {
		if err := api.List(t.Context(), list, client.MatchingLabels{"app.kubernetes.io/part-of": "mailvane"}); err != nil {
			t.Fatal(err)
		}
		checkEmpty(t, list)
	}
}

func checkEmpty(t *testing.T, list client.ObjectList) {
	t.Helper()

	if n := meta.LenList(list); n != 0 {
		t.Errorf("%T: %d left", list, n)
	}
}
