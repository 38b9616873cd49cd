//go:build e2e

// Package e2e installs the chart into the cluster that KUBECONFIG names and follows real events through real pods: "make e2e".
//
// The nodes must be able to run the image that MAILVANE_IMAGE names (repository:tag). What the test makes it takes away
// again. It must not run where somebody else has Mailvane installed.
package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	release   = "mailvane-e2e"
	system    = "mailvane-e2e"
	namespace = "mail" // the quickstart's
	samples   = "../../config/samples/quickstart"
	chart     = "../../charts/mailvane"
	patience  = 2 * time.Minute
)

// cluster runs the tools of the test.
type cluster struct {
	t              *testing.T
	helm, mailvane string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	for _, name := range []string{"KUBECONFIG", "MAILVANE_IMAGE"} {
		if os.Getenv(name) == "" {
			t.Fatalf("%s must be set", name)
		}
	}
	c := &cluster{t: t, mailvane: filepath.Join(t.TempDir(), "mailvane")}
	c.run("go", "build", "-o", c.mailvane, "../../cmd/mailvane")
	c.helm = strings.TrimSpace(c.run("go", "tool", "-modfile=../../hack/helm/go.mod", "-n", "helm"))
	return c
}

func (c *cluster) try(name string, arguments ...string) (string, error) {
	out, err := exec.Command(name, arguments...).CombinedOutput()
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

// install installs the chart, and takes everything away when the test ends.
func (c *cluster) install() {
	c.t.Helper()
	if out, _ := c.try("kubectl", "get", "crd", "-o", "name"); strings.Contains(out, "mailvane.dev") {
		c.t.Fatal("this cluster has Mailvane already; the test would take it away")
	}
	c.t.Cleanup(func() {
		for _, arguments := range [][]string{
			{"kubectl", "delete", "namespace", namespace, "--ignore-not-found"},
			{c.helm, "uninstall", release, "--namespace", system},
			{"kubectl", "delete", "namespace", system, "--ignore-not-found"},
			{"kubectl", "delete", "crd", "webhookendpoints.mailvane.dev", "eventsinks.mailvane.dev", "--ignore-not-found"},
		} {
			if out, err := c.try(arguments[0], arguments[1:]...); err != nil {
				c.t.Errorf("%v: %v\n%s", arguments, err, out)
			}
		}
	})
	repository, tag, _ := strings.Cut(os.Getenv("MAILVANE_IMAGE"), ":")
	c.run(c.helm, "install", release, chart, "--namespace", system, "--create-namespace",
		"--set", "image.repository="+repository+",image.tag="+tag, "--wait", "--timeout", "2m")
}

// conditions returns "name type status" of every condition of the endpoints and sinks.
func (c *cluster) conditions() []string {
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

// wait polls until every condition is True, and returns how long that took.
func (c *cluster) wait() time.Duration {
	c.t.Helper()
	started := time.Now()
	for {
		var open []string
		for _, condition := range c.conditions() {
			if !strings.HasSuffix(condition, " True") {
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

// forward makes the receiver's Service reachable here, and returns its URL.
func (c *cluster) forward() string {
	c.t.Helper()
	command := exec.Command("kubectl", "port-forward", "--namespace", namespace, "service/mailvane-receiver", ":8080")
	out, err := command.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	port := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(line)
	if err != nil || port == nil {
		c.t.Fatalf("port-forward: %q, %v", line, err)
	}
	return "http://127.0.0.1:" + port[1]
}

// arrived counts the events that the receivers' pods have printed.
func (c *cluster) arrived() int {
	c.t.Helper()
	logs := c.kubectl("logs", "--namespace", namespace, "--selector", "app.kubernetes.io/name=mailvane-receiver", "--tail=-1")
	return strings.Count(logs, `"specversion":"1.0"`)
}

// pods names the receivers' pods with their restarts.
func (c *cluster) pods() string {
	c.t.Helper()
	return c.kubectl("get", "pods", "--namespace", namespace, "-o", `jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount}{"\n"}{end}`)
}

func TestQuickstart(t *testing.T) {
	c := newCluster(t)
	c.install()
	c.kubectl("apply", "-k", samples)
	t.Logf("all conditions True after %.1f s", c.wait().Seconds())

	url := c.forward()
	sent := 0
	for _, endpoint := range []string{"emailengine", "mailchannels", "webexconnect", "engagelab"} {
		out := c.run(c.mailvane, "send", "-f", samples, "--endpoint", endpoint, "--url", url)
		for _, m := range regexp.MustCompile(`"accepted":(\d+)`).FindAllStringSubmatch(out, -1) {
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			sent += n
		}
	}
	for deadline := time.Now().Add(patience); c.arrived() < sent; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d accepted events arrived", c.arrived(), sent)
		}
	}
	t.Logf("%d events accepted and arrived", sent)

	before := c.pods()
	c.kubectl("patch", "webhookendpoint", "emailengine", "--namespace", namespace, "--type=merge",
		"-p", `{"spec":{"routes":[{"name":"bounces","sinkRef":{"name":"console"},"filter":"event.type == 'email.bounced'"}]}}`)
	t.Logf("an edited filter is live after %.1f s", c.wait().Seconds())
	if after := c.pods(); after != before {
		t.Errorf("the edit restarted or replaced pods:\n%s\n%s", before, after)
	}
}
