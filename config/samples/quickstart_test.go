package samples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/config/samples"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/test/controlplane"
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

// TestDedicatedApplies applies the sample of an endpoint with a receiver of its own.
func TestDedicatedApplies(t *testing.T) {
	t.Parallel()

	said := cluster.Kubectl(t, "apply", "--kustomize", "dedicated", "--validate=strict", "--server-side")
	for _, object := range []string{"secret/engagelab", "eventsink.mailvane.dev/console", "webhookendpoint.mailvane.dev/engagelab"} {
		if !strings.Contains(said, object) {
			t.Errorf("%s is not in:\n%s", object, said)
		}
	}
}

// TestSinksApply has the API server look at the sample of each kind of sink.
func TestSinksApply(t *testing.T) {
	t.Parallel()

	for _, sink := range catalogue.Sinks() {
		if sink.Bare || sink.Type == "File" { // which have little to show
			continue
		}
		samples, err := filepath.Glob("sinks/" + strings.ToLower(sink.Type) + "*.yaml") // and those for a service, such as kafka-eventhubs.yaml
		if err != nil || !slices.Contains(samples, "sinks/"+strings.ToLower(sink.Type)+".yaml") {
			t.Errorf("%s: there is no sample: %v", sink.Type, err)
		}
		for _, sample := range samples {
			said := cluster.Kubectl(t, "apply", "--validate=strict", "--server-side", "--dry-run=server", "--namespace", "default", "-f", sample)
			if !strings.Contains(said, "eventsink.mailvane.dev/") {
				t.Errorf("%s: no sink is in:\n%s", sample, said)
			}
		}
	}
}

// TestQuickstartApplies does what the README says, as users with a cluster do, and does it again: who applies from a repository
// applies all the time.
func TestQuickstartApplies(t *testing.T) {
	t.Parallel()

	// One after the other, and in this order: the manifests say which namespace they are for, and that one stays.
	for _, tc := range []struct {
		name  string
		flags []string
	}{
		{"kubectl merges", nil},
		{"the API server merges", []string{"--server-side"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{"apply", "--kustomize", samples.QuickstartFolder, "--validate=strict"}, tc.flags...)
			said := cluster.Kubectl(t, args...)
			before := versions(t)
			if lines := strings.Count(said, "\n"); lines != len(before) {
				t.Errorf("kubectl speaks of %d objects, the cluster has %d:\n%s", lines, len(before), said)
			}
			cluster.Kubectl(t, args...)
			if diff := cmp.Diff(before, versions(t)); diff != "" {
				t.Errorf("versions (-after the first time +after the second):\n%s", diff)
			}
			cluster.Kubectl(t, "delete", "--namespace", "mail", "--all", "mailvane,secrets")
		})
	}
}

// versions returns the version of each object of the quickstart that is in the cluster.
func versions(t *testing.T) map[string]string {
	t.Helper()

	api := cluster.Client(t)
	versions := map[string]string{}
	for kind, list := range map[string]client.ObjectList{
		"Secret":                     &corev1.SecretList{},
		v1alpha1.EventSinkKind:       &v1alpha1.EventSinkList{},
		v1alpha1.WebhookEndpointKind: &v1alpha1.WebhookEndpointList{},
	} {
		if err := api.List(t.Context(), list, client.InNamespace("mail")); err != nil {
			t.Fatal(err)
		}
		err := meta.EachListItem(list, func(object runtime.Object) error {
			accessor, err := meta.Accessor(object)
			if err == nil {
				versions[kind+"/"+accessor.GetName()] = accessor.GetResourceVersion()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var namespace corev1.Namespace
	if err := api.Get(t.Context(), client.ObjectKey{Name: "mail"}, &namespace); err != nil {
		t.Fatal(err)
	}
	versions["Namespace/mail"] = namespace.ResourceVersion
	return versions
}
