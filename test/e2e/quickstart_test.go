//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// readyWithin is the time in which an endpoint works after its manifest was applied to a cluster that has the image.
const readyWithin = 30.0

// TestMailvane installs a release, upgrades it, uses it in ever harder ways, and uninstalls it.
func TestMailvane(t *testing.T) {
	c := newCluster(t)
	before := c.everything()
	c.installPrevious()
	t.Run("upgrade", func(t *testing.T) { upgrade(c.in(t)) })
	t.Run("quickstart", func(t *testing.T) { quickstart(c.in(t)) })
	t.Run("edits under load", func(t *testing.T) { editsUnderLoad(c.in(t)) })
	t.Run("restart while the sink is down", func(t *testing.T) { restartWhileDown(c.in(t)) })
	t.Run("a thousand endpoints", func(t *testing.T) { aThousandEndpoints(c.in(t)) })
	t.Run("uninstall", func(t *testing.T) { uninstall(c.in(t), before) })
}

// nowhere is the sink of the quickstart that leads to the machine of whoever tries it: a receiver in a cluster has nothing there.
const nowhere = "crm"

func quickstart(c *cluster) {
	c.kubectl("apply", "-k", samples)
	took := c.wait(namespace, nowhere).Seconds()
	c.t.Logf("all conditions True after %.1f s", took)
	if took > readyWithin {
		c.t.Errorf("that is more than %.0f s", readyWithin)
	}
	table := c.kubectl("get", "whe,esink", "--namespace", namespace)
	c.t.Logf("kubectl get whe,esink\n%s", table)
	if !regexp.MustCompile(`(?s)NAME +PROVIDER +READY +URL.*/engagelab +EngageLab +True +http://.*/hooks/mail/engagelab.*NAME +TYPE +READY`).MatchString(table) {
		c.t.Error("that does not show provider, readiness and URL")
	}

	// A pod that became ready last may have to load what the others have.
	served := c.until("both receivers serve all endpoints", func() bool { return len(servedByBoth(c)) == len(catalogue.Providers()) })
	c.t.Logf("both receivers serve all endpoints %.1f s later", served.Seconds())
	sent := 0
	for _, provider := range catalogue.Providers() {
		out := c.run(c.mailvane, "send", "--namespace", namespace, "--endpoint", provider.Folder())
		for _, m := range regexp.MustCompile(`"accepted":(\d+)`).FindAllStringSubmatch(out, -1) {
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				c.t.Fatal(err)
			}
			sent += n
		}
	}
	c.until("every accepted event arrives", func() bool { return c.arrived() >= sent })
	c.t.Logf("%d events accepted and arrived", sent)
	commands(c, sent)
	noCredentials(c)

	before := c.pods(namespace)
	c.kubectl("patch", "webhookendpoint", "emailengine", "--namespace", namespace, "--type=merge",
		"-p", `{"spec":{"routes":[{"name":"bounces","sinkRef":{"name":"console"},"filter":"event.type == 'email.bounced'"}]}}`)
	c.t.Logf("an edited filter is live after %.1f s", c.wait(namespace, nowhere).Seconds())
	if after := c.pods(namespace); after != before {
		c.t.Errorf("the edit restarted or replaced pods:\n%s\n%s", before, after)
	}
}

// servedByBoth returns the lines of the endpoints that both receivers serve, each with the number of accepted events.
func servedByBoth(c *cluster) [][]string {
	c.t.Helper()
	out := c.run(c.mailvane, "endpoints", "--namespace", namespace)
	return regexp.MustCompile(`(?m)^mail/\w+ +\w+ +True +Reconciled +- +2 +(\d+) .*$`).FindAllStringSubmatch(out, -1)
}

// commands looks at the same with the mailvane command, which has no way to the pods but the API server's.
func commands(c *cluster, sent int) {
	c.t.Helper()
	sum := 0
	counts := servedByBoth(c)
	for _, m := range counts {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err != nil {
			c.t.Fatal(err)
		}
		sum += n
	}
	if sum != sent {
		c.t.Errorf("%d events were accepted; mailvane endpoints says %q", sent, counts)
	}
	c.until("the sink that leads nowhere is said to take nothing, and the other to take events", func() bool {
		conditions := strings.Join(c.conditions(namespace), "\n")
		return strings.Contains(conditions, nowhere+" Connected False") && strings.Contains(conditions, "console Connected True")
	})
	if out := c.run(c.mailvane, "sinks", "--namespace", namespace); !regexp.MustCompile(`mail/crm +HTTP +False +\w+ +2 +failing +[1-9]`).MatchString(out) {
		c.t.Errorf("mailvane sinks says\n%s", out)
	}
	listed := c.run(c.mailvane, "deadletter", "list", "--namespace", namespace)
	reference := regexp.MustCompile(`(?m)^\S+/\d+ .*Undecodable`).FindString(listed)
	if reference == "" {
		c.t.Fatalf("no undecodable event is listed\n%s", listed)
	}
	reference = strings.Fields(reference)[0]
	if out := c.run(c.mailvane, "deadletter", "show", reference, "--namespace", namespace); !strings.Contains(out, reference) {
		c.t.Errorf("shown:\n%s", out)
	}
	if out := c.run(c.mailvane, "deadletter", "drop", reference, "--namespace", namespace); !strings.Contains(out, "1 dropped, 0 failed") {
		c.t.Errorf("dropped:\n%s", out)
	}
}

// brokenManifests has a credential that cannot be right, in a Secret that two conditions speak of.
const brokenManifests = `apiVersion: v1
kind: Secret
metadata: {name: broken, namespace: mail}
stringData: {key: "CREDENTIAL\n", app: CREDENTIAL}
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: broken, namespace: mail}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [{name: broken, key: key}, {name: broken, key: another}]}}
  routes: [{name: all, sinkRef: {name: broken}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: broken, namespace: mail}
spec: {type: HTTP, http: {url: "http://127.0.0.1:1", signingSecretRefs: [{name: broken, key: app}]}}
`

// certificateFile is in the samples of Amazon SNS, and holds the digits of a demo credential by chance.
const certificateFile = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"

// noCredentials looks for credentials, that of a broken endpoint among them, where people and programs read.
func noCredentials(c *cluster) {
	c.t.Helper()
	const broken = "LEAK-broken-8d1f3c5b7a9e"
	c.apply(strings.ReplaceAll(brokenManifests, "CREDENTIAL", broken))
	c.until("endpoint and sink are said to be broken", func() bool {
		conditions := strings.Join(c.conditions(namespace), "\n")
		return strings.Count(conditions, "broken Ready False") == 2
	})
	text, err := os.ReadFile(filepath.Join(samples, "secrets.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	credentials := []string{broken}
	for _, m := range regexp.MustCompile(`(?m)^  (?:serviceSecret|hubSecret|appKey): (\S+)$|^    (M\S+)$`).FindAllSubmatch(text, -1) {
		credentials = append(credentials, string(m[1])+string(m[2]))
	}
	if len(credentials) < 5 { // each provider may bring some
		c.t.Fatalf("%d credentials in the quickstart's Secrets", len(credentials)-1)
	}
	places := map[string]string{
		"objects, their status and Events": c.kubectl("get", "whe,esink,events,pods,deployments,services,networkpolicies", "--namespace", namespace, "-o", "yaml"),
		"the manager's log":                c.kubectl("logs", "--namespace", system, "--selector", "app.kubernetes.io/name=mailvane", "--tail=-1"),
		"the receivers' logs":              c.kubectl("logs", "--namespace", namespace, "--selector", receivers, "--tail=-1"),
	}
	for place, content := range places {
		if content == "" {
			c.t.Errorf("%s are empty, and this test shows less than it says", place)
		}
		content = strings.ReplaceAll(content, certificateFile, "")
		for _, credential := range credentials {
			if i := strings.Index(content, credential); i >= 0 {
				c.t.Errorf("%s show a credential: %.200s", place, content[max(0, i-100):])
			}
		}
	}
	c.kubectl("delete", "whe/broken", "esink/broken", "secret/broken", "--namespace", namespace)
}
