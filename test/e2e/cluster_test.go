//go:build e2e

// Package e2e installs the chart into the cluster that KUBECONFIG names and follows real events through real pods: "make e2e".
//
// The nodes must be able to run the image that MAILVANE_IMAGE names (repository:tag), and one with /load, of test/load, that
// MAILVANE_LOAD_IMAGE names. The release that is upgraded has the chart in the folder MAILVANE_PREVIOUS_CHART and the image
// MAILVANE_PREVIOUS_IMAGE; each is the present one unless set. What the tests make they take away again, but for two folders in /tmp of a
// node. They must not run where somebody else has Mailvane installed.
package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	release   = "mailvane-e2e"
	system    = "mailvane-e2e"
	namespace = "mail" // the quickstart's
	underLoad = "mailvane-e2e-load"
	crowd     = "mailvane-e2e-crowd"
	upgraded  = "mailvane-e2e-upgraded"
	receivers = "app.kubernetes.io/managed-by=mailvane,app.kubernetes.io/component=receiver"
	samples   = "../../config/samples/quickstart"
	chart     = "../../charts/mailvane"
	patience  = 2 * time.Minute
)

// cluster runs the tools of the test.
type cluster struct {
	t              *testing.T
	helm, mailvane string
	// load is the namespace of the pod that sends and counts.
	load string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	for _, name := range []string{"KUBECONFIG", "MAILVANE_IMAGE", "MAILVANE_LOAD_IMAGE"} {
		if os.Getenv(name) == "" {
			t.Fatalf("%s must be set", name)
		}
	}
	c := &cluster{t: t, load: underLoad, mailvane: filepath.Join(t.TempDir(), "mailvane")}
	c.run("go", "build", "-o", c.mailvane, "../../cmd/mailvane")
	c.helm = strings.TrimSpace(c.run("go", "tool", "-modfile=../../hack/helm/go.mod", "-n", "helm"))
	return c
}

func (c *cluster) try(name string, arguments ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), name, arguments...).CombinedOutput()
	return string(out), err
}

func (c *cluster) run(name string, arguments ...string) string {
	c.t.Helper()
	out, err := c.try(name, arguments...)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return out
}

func (c *cluster) kubectl(arguments ...string) string {
	c.t.Helper()
	return c.run("kubectl", arguments...)
}

// in returns the same cluster for a part of the test.
func (c *cluster) in(t *testing.T) *cluster {
	t.Helper()
	part := *c
	part.t = t
	return &part
}

// with returns the same cluster with the load in another namespace.
func (c *cluster) with(load string) *cluster {
	other := *c
	other.load = load
	return &other
}

// install installs a chart with an image, and takes everything away when the test ends.
func (c *cluster) install(chart, image string, arguments ...string) {
	c.t.Helper()
	if out, _ := c.try("kubectl", "get", "crd", "-o", "name"); strings.Contains(out, "mailvane.dev") {
		c.t.Fatal("this cluster has Mailvane already; the test would take it away")
	}
	c.t.Cleanup(func() {
		for _, arguments := range [][]string{
			{"kubectl", "delete", "namespace", namespace, underLoad, crowd, upgraded, "--ignore-not-found"},
			{"kubectl", "delete", "persistentvolume", "--selector", "app=" + upgraded, "--ignore-not-found"},
			{c.helm, "uninstall", release, "--namespace", system, "--ignore-not-found"},
			{"kubectl", "delete", "namespace", system, "--ignore-not-found"},
			{"kubectl", "delete", "crd", "webhookendpoints.mailvane.dev", "eventsinks.mailvane.dev", "--ignore-not-found"},
		} {
			if out, err := c.try(arguments[0], arguments[1:]...); err != nil {
				c.t.Errorf("%v: %v\n%s", arguments, err, out)
			}
		}
	})
	c.run(c.helm, append([]string{"install", release, chart, "--namespace", system, "--create-namespace", "--wait", "--timeout", "2m"}, append(ofImage(image), arguments...)...)...)
}

// ofImage returns the arguments that name an image.
func ofImage(image string) []string {
	repository, tag, _ := strings.Cut(image, ":")
	return []string{"--set", "image.repository=" + repository + ",image.tag=" + tag}
}

// apply applies manifests.
func (c *cluster) apply(manifests string) {
	c.t.Helper()
	command := exec.CommandContext(c.t.Context(), "kubectl", "apply", "--server-side", "-f", "-")
	command.Stdin = strings.NewReader(manifests)
	if out, err := command.CombinedOutput(); err != nil {
		c.t.Fatalf("apply: %v\n%s", err, out)
	}
}

// conditions returns "name type status" of every condition of the endpoints and sinks of a namespace.
func (c *cluster) conditions(namespace string) []string {
	c.t.Helper()
	var list struct {
		Items []struct {
			Metadata struct {
				Name       string
				Generation int64
			}
			Status struct {
				Conditions []struct {
					Type, Status       string
					ObservedGeneration int64
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(c.kubectl("get", "webhookendpoints,eventsinks", "--namespace", namespace, "-o", "json")), &list); err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, item := range list.Items {
		if len(item.Status.Conditions) == 0 {
			out = append(out, item.Metadata.Name+" none")
		}
		for _, condition := range item.Status.Conditions {
			status := condition.Status
			if condition.ObservedGeneration != item.Metadata.Generation {
				status = "Stale"
			}
			out = append(out, item.Metadata.Name+" "+condition.Type+" "+status)
		}
	}
	return out
}

// wait polls until every condition of a namespace is True but those of objects whose names are excepted, and returns how long that took.
// That nobody knows yet whether a sink takes events is no reason to wait.
func (c *cluster) wait(namespace string, except ...string) time.Duration {
	c.t.Helper()
	started := time.Now()
	for {
		var open []string
		for _, condition := range c.conditions(namespace) {
			name, state, _ := strings.Cut(condition, " ")
			if !strings.HasSuffix(state, " True") && state != "Connected Unknown" && !slices.Contains(except, name) {
				open = append(open, condition)
			}
		}
		if len(open) == 0 {
			return time.Since(started)
		}
		if time.Since(started) > patience {
			c.t.Fatalf("not True after %v: %v\n%s", patience, open, c.kubectl("get", "pods", "-A"))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// arrived counts the events that the receivers' pods have printed.
func (c *cluster) arrived() int {
	c.t.Helper()
	logs := c.kubectl("logs", "--namespace", namespace, "--selector", receivers, "--tail=-1")
	return strings.Count(logs, `"specversion":"1.0"`)
}

// pods names the receivers' pods of a namespace with their restarts.
func (c *cluster) pods(namespace string) string {
	c.t.Helper()
	return c.kubectl("get", "pods", "--namespace", namespace, "--selector", receivers,
		"-o", `jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount}{"\n"}{end}`)
}

// until polls until the condition holds.
func (c *cluster) until(what string, holds func() bool) time.Duration {
	c.t.Helper()
	return c.within(patience, what, holds)
}

// within polls until the condition holds, for a limited time.
func (c *cluster) within(limit time.Duration, what string, holds func() bool) time.Duration {
	c.t.Helper()
	started := time.Now()
	for !holds() {
		if time.Since(started) > limit {
			c.t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return time.Since(started)
}
