//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// onClaims and onDisks are the events that wait when the upgrade begins: in a receiver with claims, and in one without.
	onClaims = 10_000
	onDisks  = 5_000
	// dedicated is the StatefulSet and the Service of endpoint claims.
	dedicated = "mailvane-claims-receiver"
	// replaced is the time in which four pods are replaced that each wait for a sink that is down, two of them one after the other.
	replaced = 5 * time.Minute
)

// upgradedManifests are a receiver with its journal on claims and one without, and two volumes on the node of the load. Its pod disks makes
// their folders.
const upgradedManifests = `---
apiVersion: v1
kind: Pod
metadata: {name: disks, namespace: NAMESPACE}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  containers: [{name: disks, image: IMAGE, command: [/load], volumeMounts: [{name: disk-0, mountPath: /disk-0}, {name: disk-1, mountPath: /disk-1}]}]
  volumes:
  - {name: disk-0, hostPath: {path: /tmp/FOLDER/0, type: DirectoryOrCreate}}
  - {name: disk-1, hostPath: {path: /tmp/FOLDER/1, type: DirectoryOrCreate}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAMESPACE-0, labels: {app: NAMESPACE}}
spec: {local: {path: /tmp/FOLDER/0}, VOLUME}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAMESPACE-1, labels: {app: NAMESPACE}}
spec: {local: {path: /tmp/FOLDER/1}, VOLUME}
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: claims, namespace: NAMESPACE}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [{name: keys, key: old}]}}
  routes: [{name: all, sinkRef: {name: load}, filter: "true"}]
  receiver:
    replicas: 2
    journal: {type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 1Gi, storageClassName: NAMESPACE}}
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: disks, namespace: NAMESPACE}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [{name: keys, key: old}]}}
  routes: [{name: all, sinkRef: {name: load}, filter: "true"}]
  exposure: {host: hooks.example.com, ingress: {tlsSecretName: hooks}}
`

const volume = `capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: NAMESPACE, ` +
	`nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [NODE]}]}]}}`

// installPrevious installs the release to upgrade from, with a value that the upgrade must keep and two receivers.
func (c *cluster) installPrevious() {
	c.t.Helper()
	c.install(previousChart(c.t), cmp.Or(os.Getenv("MAILVANE_PREVIOUS_IMAGE"), os.Getenv("MAILVANE_IMAGE")), "--set", "podLabels.kept=yes")
	c = c.with(upgraded)
	c.startLoad(strings.NewReplacer("VOLUME", volume, "FOLDER", fmt.Sprintf("mailvane-e2e-%d", time.Now().Unix())).Replace(upgradedManifests))
	c.until("there is an Ingress", func() bool { return c.hasTaken("mailvane-disks") })
	c.wait(upgraded)
}

// hasTaken plays a controller that has taken an Ingress.
func (c *cluster) hasTaken(ingress string) bool {
	_, err := c.try("kubectl", "patch", "ingress", ingress, "--namespace", upgraded, "--subresource=status", "--type=merge",
		"-p", `{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}`)
	return err == nil
}

// upgrade upgrades from the previous release to the present one while events wait for a sink that is down and more are sent.
func upgrade(c *cluster) {
	c = c.with(upgraded)
	c.fill()
	older := c.template()
	c.sendTo(oldKey, eventsPerSecond, c.at(dedicated, "claims"), c.at(shared, "disks"))
	started := time.Now()
	c.run(c.helm, append([]string{"upgrade", release, chart, "--namespace", system, "--reset-then-reuse-values", "--wait", "--timeout", "2m"}, ofImage(os.Getenv("MAILVANE_IMAGE"))...)...)
	c.t.Logf("helm upgrade took %.1f s", time.Since(started).Seconds())
	c.within(replaced, "all receivers are those of the present release", c.isPresent)
	c.t.Logf("all receivers are those of the present release after %.1f s", time.Since(started).Seconds())
	c.delivered()
	c.until("the definitions are upgraded", func() bool {
		out, err := c.try("kubectl", "get", "esink", "--namespace", upgraded)
		return err == nil && strings.Contains(out, "load")
	})
	c.wait(upgraded)
	if out := c.kubectl("get", "pods", "--namespace", system, "--selector", "kept=yes", "-o", "name"); out == "" {
		c.t.Error("the value podLabels.kept=yes is lost")
	}
	c.startsWithPresent(older)
	c.kubectl("delete", "namespace", upgraded)
	c.kubectl("delete", "persistentvolume", "--selector", "app="+upgraded)
}

// fill has events wait in both receivers.
func (c *cluster) fill() {
	c.t.Helper()
	c.tell("/fail", url.Values{"status": {"503"}})
	c.sendTo(oldKey, 1000, c.at(dedicated, "claims"))
	c.until("events wait on claims", func() bool { return c.report().Acknowledged >= onClaims })
	before := c.report().Acknowledged
	c.sendTo(oldKey, 1000, c.at(shared, "disks"))
	c.until("events wait on the disks of nodes", func() bool { return c.report().Acknowledged >= before+onDisks })
	c.tell("/stop", nil)
	c.until("nothing is under way", func() bool { return c.report().Busy == 0 })
	c.t.Logf("%d events wait", c.report().Acknowledged)
}

// delivered lets the sink take events, and counts them. An event may come twice when its request was not answered, so that the provider sent
// it again; the sink has taken none while it was down.
func (c *cluster) delivered() {
	c.t.Helper()
	c.tell("/stop", nil)
	c.tell("/fail", url.Values{"status": {"200"}})
	r := c.settled()
	c.t.Logf("acknowledged %d, delivered %d, again %d; answers other than 200: %v; unanswered and sent again: %d, in vain: %d; slowest answer %d ms",
		r.Acknowledged, r.Delivered, r.Repeated, r.Other, r.Unanswered, r.GivenUp, r.SlowestMilliseconds)
	for _, sample := range r.Samples {
		c.t.Log(sample)
	}
	if r.Repeated > r.Unanswered {
		c.t.Errorf("%d events came again, and %d requests were not answered", r.Repeated, r.Unanswered)
	}
	for status := range r.Other {
		if !strings.HasPrefix(status, "5") {
			c.t.Errorf("answered %s, after which a provider does not send an event again", status)
		}
	}
	if out := c.kubectl("get", "events", "--namespace", upgraded, "--field-selector", "reason=HandoffFailed", "-o", "jsonpath={.items[*].message}"); out != "" {
		c.t.Errorf("a pod could not hand off what it held: %s", out)
	}
}

// isPresent says whether all pods of receivers are ready, and of the present release.
func (c *cluster) isPresent() bool {
	pods := strings.Fields(c.kubectl("get", "pods", "--namespace", upgraded, "--selector", receivers, "-o",
		`jsonpath={range .items[*]}{.spec.containers[0].image}={.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`))
	for _, pod := range pods {
		if pod != os.Getenv("MAILVANE_IMAGE")+"=True" {
			return false
		}
	}
	return len(pods) == 4
}

// template returns what the shared receiver's pods are made from.
func (c *cluster) template() json.RawMessage {
	c.t.Helper()
	var deployment struct {
		Spec struct {
			Template struct{ Spec json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(c.kubectl("get", "deployment", shared, "--namespace", upgraded, "-o", "json")), &deployment); err != nil {
		c.t.Fatal(err)
	}
	return deployment.Spec.Template.Spec
}

// startsWithPresent starts a pod of the previous release with the configuration that the present one has written, as happens when a node is
// drained in the middle of an upgrade. It becomes ready when it has read all of it.
func (c *cluster) startsWithPresent(older json.RawMessage) {
	c.t.Helper()
	pod, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]string{"name": "older", "namespace": upgraded}, "spec": older,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.apply(string(pod))
	if out, err := c.try("kubectl", "wait", "--for=condition=Ready", "pod/older", "--namespace", upgraded, "--timeout=60s"); err != nil {
		c.t.Errorf("a receiver of the previous release does not take the present configuration: %s\n%s", out, c.kubectl("logs", "older", "--namespace", upgraded))
	}
}
