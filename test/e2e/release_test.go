//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// uninstall follows docs/installation.md, and looks for what is left that had not been there before.
func uninstall(c *cluster, before []string) {
	c.kubectl("delete", "webhookendpoints,eventsinks", "--all", "--all-namespaces")
	c.until("the receivers are gone", func() bool {
		return c.kubectl("get", "deployments,statefulsets,services,secrets,serviceaccounts,networkpolicies,poddisruptionbudgets,ingresses", "--all-namespaces",
			"--selector", "app.kubernetes.io/managed-by=mailvane", "-o", "name") == ""
	})
	c.kubectl("delete", "namespace", namespace, underLoad, crowd, upgraded, "--ignore-not-found")
	c.run(c.helm, "uninstall", release, "--namespace", system, "--wait")
	// What docs/installation.md says, and what Kubernetes makes of it by itself.
	documented := []string{
		"APIService /v1alpha1.mailvane.dev", "ConfigMap " + system + "/kube-root-ca.crt", "CustomResourceDefinition /eventsinks.mailvane.dev",
		"CustomResourceDefinition /webhookendpoints.mailvane.dev", "Lease " + system + "/" + release + "-manager", "Namespace /" + system,
		"ServiceAccount " + system + "/default",
	}
	var left []string
	defer func() { c.t.Log("what nobody asked to keep:", left) }()
	c.until("only what is documented is left", func() bool {
		left = slices.DeleteFunc(c.everything(), func(name string) bool {
			return slices.Contains(before, name) || slices.Contains(documented, name)
		})
		return len(left) == 0
	})
}

// previousChart returns the folder of the chart to upgrade from: that of MAILVANE_PREVIOUS_CHART, or else the present one with a
// lower version, and other short names of the kinds.
func previousChart(t *testing.T) string {
	t.Helper()
	if folder := os.Getenv("MAILVANE_PREVIOUS_CHART"); folder != "" {
		return folder
	}
	folder := filepath.Join(t.TempDir(), "mailvane")
	if err := os.CopyFS(folder, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(folder, "Chart.yaml"), "\nversion: ", "\nversion: 0.0.1-before.")
	for _, file := range []string{"mailvane.dev_webhookendpoints.yaml", "mailvane.dev_eventsinks.yaml"} {
		path := filepath.Join(folder, "files", "crds", file)
		replace(t, path, "    - whe\n", "    - older\n")
		replace(t, path, "    - esink\n", "    - olders\n")
	}
	return folder
}

func replace(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), from, to, 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// everything names every object of the cluster that does not come and go by itself.
func (c *cluster) everything() []string {
	c.t.Helper()
	kinds := slices.DeleteFunc(strings.Fields(c.kubectl("api-resources", "--verbs=list", "-o", "name")), func(kind string) bool {
		return strings.HasPrefix(kind, "events") || strings.HasPrefix(kind, "componentstatuses") || strings.HasPrefix(kind, "endpointslices")
	})
	out := c.kubectl("get", strings.Join(kinds, ","), "--all-namespaces", "-o",
		`jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\n"}{end}`)
	names := strings.Split(strings.TrimSpace(out), "\n")
	for i, name := range names {
		// The drain moves the cluster's own pods, which then have another end of the name: a pod is named by what made it.
		if strings.HasPrefix(name, "Pod ") {
			names[i] = name[:max(strings.LastIndexByte(name, '-'), len("Pod "))]
		}
	}
	return names
}
