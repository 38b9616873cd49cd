//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	eventsPerSecond = 100
	oldKey          = "0123456789abcdef0123456789abcdef"
	newKey          = "fedcba9876543210fedcba9876543210"
	// shared is the Deployment and the Service of a namespace's receiver.
	shared = "mailvane-receiver"
)

// loadManifests are a provider and a sink in one pod, on a node that stays.
const loadManifests = `apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: NAMESPACE}
stringData: {old: OLDKEY, new: NEWKEY}
---
apiVersion: v1
kind: Pod
metadata: {name: load, namespace: NAMESPACE, labels: {app: load}}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  containers:
  - {name: load, image: IMAGE, command: [/load], ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: load, namespace: NAMESPACE}
spec: {selector: {app: load}, ports: [{port: 8080}]}
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: load, namespace: NAMESPACE}
spec:
  type: HTTP
  http: {url: "http://load.NAMESPACE.svc:8080/events", contentMode: Batched}
`

const endpointManifest = `---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [KEYS]}}
  routes: [{name: all, sinkRef: {name: load}, filter: 'FILTER'}]
`

// endpointWith returns an endpoint that takes what the keys sign.
func endpointWith(name, filter string, keys ...string) string {
	var refs []string
	for _, key := range keys {
		refs = append(refs, "{name: keys, key: "+key+"}")
	}
	return strings.NewReplacer("NAME", name, "NAMESPACE", underLoad, "KEYS", strings.Join(refs, ", "), "FILTER", filter).Replace(
		strings.ReplaceAll(endpointManifest, "namespace: NAMESPACE", "namespace: "+underLoad))
}

// report is what the load says of itself; see test/load.
type report struct {
	Acknowledged, Delivered, Repeated, Unanswered, GivenUp int
	Busy, SlowestMilliseconds                              int64
	Other                                                  map[string]int
	Samples                                                []string
}

// startLoad starts the pod that sends and counts, beside more manifests.
func (c *cluster) startLoad(more string) {
	c.t.Helper()
	c.apply(strings.NewReplacer("NAMESPACE", c.load, "NODE", c.firstNode(), "IMAGE", os.Getenv("MAILVANE_LOAD_IMAGE"), "OLDKEY", oldKey, "NEWKEY", newKey).Replace(loadManifests + more))
	c.kubectl("wait", "--for=condition=Ready", "pod/load", "--namespace", c.load, "--timeout=60s")
}

func (c *cluster) firstNode() string {
	c.t.Helper()
	return strings.Fields(c.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"))[0]
}

// tell tells the load what to do, and returns what it says.
func (c *cluster) tell(path string, query url.Values) string {
	c.t.Helper()
	return c.kubectl("get", "--raw", "/api/v1/namespaces/"+c.load+"/pods/load:8080/proxy"+path+"?"+query.Encode())
}

// send lets the load send to both endpoints through the Service.
func (c *cluster) send(key string, rate int) {
	c.t.Helper()
	c.sendTo(key, rate, c.at(shared, "first"), c.at(shared, "second"))
}

func (c *cluster) sendTo(key string, rate int, urls ...string) {
	c.t.Helper()
	c.tell("/send", url.Values{"url": urls, "key": {key}, "rate": {fmt.Sprint(rate)}})
}

// at returns the URL of an endpoint of the load's namespace at a receiver's Service.
func (c *cluster) at(receiver, endpoint string) string {
	return "http://" + receiver + "." + c.load + ".svc:8080/hooks/" + c.load + "/" + endpoint
}

func (c *cluster) report() report {
	c.t.Helper()
	var r report
	if err := json.Unmarshal([]byte(c.tell("/report", nil)), &r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// settled stops the load and waits until everything that was acknowledged has arrived.
func (c *cluster) settled() report {
	c.t.Helper()
	c.tell("/stop", nil)
	var r report
	c.until("every acknowledged event arrives", func() bool {
		r = c.report()
		return r.Busy == 0 && r.Delivered == r.Acknowledged
	})
	return r
}

// edit does something under load and measures how long it takes until all conditions are True again. No pod may be restarted.
func (c *cluster) edit(what string, do func()) {
	c.t.Helper()
	before := c.pods(underLoad)
	started := time.Now()
	do()
	c.wait(underLoad)
	c.t.Logf("%-40s live after %4.1f s", what, time.Since(started).Seconds())
	if after := c.pods(underLoad); after != before {
		c.t.Errorf("%s restarted or replaced pods:\n%s\n%s", what, before, after)
	}
}

// editsUnderLoad changes everything that can be changed while a provider sends.
func editsUnderLoad(c *cluster) {
	c.startLoad(endpointWith("first", "true", "old") + endpointWith("second", "true", "old") + endpointWith("unused", "true", "old"))
	c.wait(underLoad)
	c.send(oldKey, eventsPerSecond)
	// The first answers may wait for the cluster's network to know the new Service.
	c.until("the load runs", func() bool { return c.report().Acknowledged > 3*eventsPerSecond })
	before := c.report()

	c.edit("20 endpoints added", func() {
		var more strings.Builder
		for i := range 20 {
			more.WriteString(endpointWith(fmt.Sprintf("more-%d", i), "true", "old"))
		}
		c.apply(more.String())
	})
	c.edit("a filter edited", func() { c.apply(endpointWith("first", `event.type == "email.opened"`, "old")) })
	c.edit("a key added", func() {
		c.apply(endpointWith("first", "true", "old", "new") + endpointWith("second", "true", "old", "new"))
	})
	c.send(newKey, eventsPerSecond)
	c.until("nothing signed with the old key is under way", func() bool { return c.overtaken() })
	c.edit("the old key removed", func() { c.apply(endpointWith("first", "true", "new") + endpointWith("second", "true", "new")) })
	c.edit("an endpoint deleted", func() { c.kubectl("delete", "webhookendpoint", "unused", "--namespace", underLoad) })

	started := time.Now()
	c.kubectl("rollout", "restart", "deployment/"+shared, "--namespace", underLoad)
	c.kubectl("rollout", "status", "deployment/"+shared, "--namespace", underLoad, "--timeout=120s")
	c.t.Logf("%-40s done after %4.1f s", "rollout restart", time.Since(started).Seconds())
	c.drain()

	r := c.settled()
	c.t.Logf("acknowledged %d, delivered %d, again %d; answers other than 200: %v; unanswered and sent again: %d, in vain: %d; slowest answer %d ms",
		r.Acknowledged, r.Delivered, r.Repeated, r.Other, r.Unanswered-before.Unanswered, r.GivenUp, r.SlowestMilliseconds)
	if len(r.Other) > 0 || r.GivenUp > 0 {
		c.t.Errorf("valid requests were not answered 200:\n%s", strings.Join(r.Samples, "\n"))
	}
	for _, sample := range r.Samples {
		c.t.Log(sample)
	}
}

// overtaken waits for as many answers as there can be requests under way.
func (c *cluster) overtaken() bool {
	c.t.Helper()
	const senders = 64
	before := c.report().Acknowledged
	c.until("the load goes on", func() bool { return c.report().Acknowledged > before+senders })
	return true
}

// drain empties a node that the load is not on.
func (c *cluster) drain() {
	c.t.Helper()
	nodes := strings.Fields(c.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"))
	if len(nodes) < 2 {
		c.t.Log("no node is drained: there is only one")
		return
	}
	node := nodes[len(nodes)-1]
	c.t.Cleanup(func() { c.kubectl("uncordon", node) })
	started := time.Now()
	c.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
	c.t.Logf("%-40s done after %4.1f s", "drain", time.Since(started).Seconds())
	c.kubectl("uncordon", node)
	c.kubectl("rollout", "status", "deployment/"+shared, "--namespace", underLoad, "--timeout=120s")
}

// restartWhileDown replaces all pods while the sink takes nothing: what they hold must reach others before they go.
func restartWhileDown(c *cluster) {
	const events = 10_000
	arguments := c.kubectl("get", "deployment", shared, "--namespace", underLoad, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if !strings.Contains(arguments, "--peers=") {
		c.t.Skip("these receivers hand nothing over")
	}
	before := c.report()
	c.tell("/fail", url.Values{"status": {"503"}})
	c.send(newKey, 1000)
	c.until("10,000 events are acknowledged", func() bool { return c.report().Acknowledged >= before.Acknowledged+events })
	c.tell("/stop", nil)
	c.kubectl("rollout", "restart", "deployment/"+shared, "--namespace", underLoad)
	c.kubectl("rollout", "status", "deployment/"+shared, "--namespace", underLoad, "--timeout=120s")
	c.until("the old pods are gone", func() bool { return strings.Count(c.pods(underLoad), "\n") == 2 })
	c.tell("/fail", url.Values{"status": {"200"}})
	r := c.settled()
	c.t.Logf("%d events were acknowledged while the sink was down, and arrived after all pods were replaced", r.Acknowledged-before.Acknowledged)
}
