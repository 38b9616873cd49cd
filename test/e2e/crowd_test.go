//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crowdSize is how many endpoints share one receiver.
const crowdSize = 1000

// aThousandEndpoints prints what a thousand endpoints in a namespace cost.
func aThousandEndpoints(c *cluster) {
	if testing.Short() {
		c.t.Skip("-short")
	}
	var manifests strings.Builder
	manifests.WriteString(`apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: NAMESPACE}
stringData: {key: 0123456789abcdef0123456789abcdef}
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: load, namespace: NAMESPACE}
spec: {type: Stdout}
`)
	one := strings.NewReplacer("KEYS", "{name: keys, key: key}", "FILTER", `event.type == "email.opened"`)
	for i := range crowdSize {
		manifests.WriteString(strings.ReplaceAll(one.Replace(endpointManifest), "NAME,", fmt.Sprintf("endpoint-%d,", i)))
	}
	started := time.Now()
	c.apply(strings.ReplaceAll(manifests.String(), "NAMESPACE", crowd))
	applied := time.Since(started)
	c.wait(crowd)
	all := time.Since(started)

	before := c.writes()
	started = time.Now()
	c.kubectl("patch", "webhookendpoint", "endpoint-500", "--namespace", crowd, "--type=json",
		"-p", `[{"op":"replace","path":"/spec/routes/0/filter","value":"event.type == \"email.bounced\""}]`)
	c.until("the edit is live", func() bool { return strings.Contains(c.programmed("endpoint-500"), "True") })
	edit := time.Since(started)
	time.Sleep(2 * time.Second) // for writes that come late
	written := c.writes() - before

	pods := c.kubectl("get", "pods", "--namespace", crowd, "-o", "name")
	c.t.Logf(`%d endpoints in one namespace
  receiver pods               %d
  kubectl apply               %.1f s
  all conditions True         %.1f s after the apply began
  memory of a receiver        %s
  memory of the manager       %s
  one edit live               %.1f s
  API writes for one edit     %d`,
		crowdSize, strings.Count(pods, "\n"), applied.Seconds(), all.Seconds(),
		c.memory(crowd), c.memory(system), edit.Seconds(), written)
	if n := strings.Count(pods, "\n"); n != 2 {
		c.t.Errorf("%d pods", n)
	}
	if written > 10 {
		c.t.Errorf("one edit makes %d writes", written)
	}
}

// programmed returns the status and the generation of the endpoint's condition, as "True" when it speaks of this generation.
func (c *cluster) programmed(name string) string {
	c.t.Helper()
	var object struct {
		Metadata struct{ Generation int64 }
		Status   struct {
			Conditions []struct {
				Type, Status       string
				ObservedGeneration int64
			}
		}
	}
	if err := json.Unmarshal([]byte(c.kubectl("get", "webhookendpoint", name, "--namespace", crowd, "-o", "json")), &object); err != nil {
		c.t.Fatal(err)
	}
	for _, condition := range object.Status.Conditions {
		if condition.Type == "Programmed" && condition.ObservedGeneration == object.Metadata.Generation {
			return condition.Status
		}
	}
	return "Unknown"
}

// scrape returns the metrics of the first pod of a namespace.
func (c *cluster) scrape(namespace, port string) string {
	c.t.Helper()
	pod := strings.Fields(c.kubectl("get", "pods", "--namespace", namespace, "-o", "jsonpath={.items[*].metadata.name}"))[0]
	return c.kubectl("get", "--raw", "/api/v1/namespaces/"+namespace+"/pods/"+pod+":"+port+"/proxy/metrics")
}

// memory returns the resident memory of the first pod of a namespace.
func (c *cluster) memory(namespace string) string {
	c.t.Helper()
	port := "9091"
	if namespace == system {
		port = "8080"
	}
	m := regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`).FindStringSubmatch(c.scrape(namespace, port))
	if m == nil {
		return "unknown"
	}
	bytes, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprintf("%.0f MiB", bytes/(1<<20))
}

// writes returns how many writes the manager has made to the API server, but for those by which it stays the leader.
func (c *cluster) writes() int {
	c.t.Helper()
	sum := 0
	metrics := c.scrape(system, "8080")
	for _, m := range regexp.MustCompile(`(?m)^rest_client_requests_total\{[^}]*method="(?:PATCH|POST|DELETE)"[^}]*\} (\d+)`).FindAllStringSubmatch(metrics, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			c.t.Fatal(err)
		}
		sum += n
	}
	return sum
}
