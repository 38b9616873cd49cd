package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// listen returns a server's listener on an address, or on a free one.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var l net.Listener
	eventually(t, "listening on "+address, func() (ok bool) {
		var config net.ListenConfig
		var err error
		l, err = config.Listen(context.Background(), "tcp", address)
		return err == nil
	})
	return l
}

func serve(t *testing.T, l net.Listener, answer int) *destination {
	t.Helper()
	d := &destination{answer: answer, got: map[string]int{}}
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: time.Minute}
	go func() { _ = d.server.Serve(l) }()
	t.Cleanup(func() { _ = d.server.Close() })
	return d
}

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	out, status := mailvane(t, "demo", "--once")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	summary := regexp.MustCompile(`^sent=(\d+) accepted=(\d+) delivered=(\d+) deadlettered=(\d+)$`).FindStringSubmatch(lines[len(lines)-1])
	if status != 0 || summary == nil {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if summary[2] != summary[3] || summary[4] != "1" {
		t.Errorf("accepted and delivered differ, or not one dead letter (the malformed route event): %s", summary[0])
	}
	for _, p := range catalogue.Providers() {
		row := regexp.MustCompile(`(?m)^` + p.Type + ` +([1-9]\d*) +(\d+) +(\d+) +([1-9]\d*)$`).FindStringSubmatch(out)
		if row == nil || row[2] != row[3] {
			t.Errorf("%s has no line of its own, or accepted and delivered differ: %q", p.Type, row)
		}
	}
	if strings.Contains(out, "<-") {
		t.Error("events are shown without --verbose")
	}
}

// TestDemoOfOneProvider sends the requests of one alone, and shows each of them and each event.
func TestDemoOfOneProvider(t *testing.T) {
	t.Parallel()
	out, status := mailvane(t, "demo", "--once", "--verbose", "--provider", "postmark")
	if status != 0 || !strings.Contains(out, "Postmark: ") || strings.Contains(out, "MailChannels") {
		t.Errorf("status %d:\n%s", status, out)
	}
	if !regexp.MustCompile(`(?mi)^-> bounce\S* +200 `).MatchString(out) || !regexp.MustCompile(`(?m)^   <- \w+ +\S+email\.bounced`).MatchString(out) {
		t.Errorf("--verbose shows no bounce, or not that it arrived:\n%s", out)
	}
	out, status = mailvane(t, "demo", "--once", "--provider", "Postmrk")
	if status == 0 || !strings.Contains(out, `"Postmrk"`) || !strings.Contains(out, "Postmark, ") {
		t.Errorf("a provider that does not exist: status %d:\n%s", status, out)
	}
}

func TestAKilledReceiverLosesNothing(t *testing.T) {
	t.Parallel()
	const requests = 300
	folder, data := t.TempDir(), t.TempDir()
	l := listen(t, "127.0.0.1:0")
	address := l.Addr().String()
	_ = l.Close() // the sink is down
	write(t, folder, "all.yaml", secrets+"---\n"+endpoint("ee", "  - {name: all, sinkRef: {name: crm}}\n")+"---\n"+httpSink("crm", "http://"+address+"/events"))

	p := start(t, folder, data)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			out, status := mailvane(t, "send", "-f", folder, "--endpoint", "ee", "--event", "messageSent", "--count", fmt.Sprint(requests/4), "--url", p.url)
			if status != 0 || strings.Count(out, `200 {"accepted":1,"duplicates":0}`) != requests/4 {
				t.Errorf("send: %d\n%s", status, out)
			}
		})
	}
	group.Wait()
	p.kill()

	p = start(t, folder, data)
	d := serve(t, listen(t, address), http.StatusOK)
	eventually(t, "everything that was answered 200 arrives", func() bool { return d.distinct() >= requests })
	if d.distinct() != requests {
		t.Errorf("%d distinct events arrived, %d were accepted", d.distinct(), requests)
	}
	t.Logf("%d of %d came twice", d.repeated(), requests)
	p.stop()
}

func TestOneRefusingSinkOfThree(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var sinks [3]*destination
	manifest := secrets + "---\n" + endpoint("ee",
		"  - {name: sent, sinkRef: {name: a}, filter: 'event.type == \"email.sent\"'}\n"+
			"  - {name: known, sinkRef: {name: b}, filter: 'event.type != \"unknown\"'}\n"+
			"  - {name: all, sinkRef: {name: c}}\n")
	for i, answer := range []int{200, 200, 422} {
		l := listen(t, "127.0.0.1:0")
		sinks[i] = serve(t, l, answer)
		manifest += "---\n" + httpSink(string(rune('a'+i)), "http://"+l.Addr().String()+"/")
	}
	write(t, folder, "all.yaml", manifest)
	p := start(t, folder, t.TempDir())
	if out, status := mailvane(t, "send", "-f", folder, "--endpoint", "ee", "--event", "messageSent", "--count", "20", "--url", p.url); status != 0 {
		t.Fatal(out)
	}
	eventually(t, "the two other sinks get everything", func() bool { return sinks[0].distinct() == 20 && sinks[1].distinct() == 20 })
	var listed string
	eventually(t, "the refused ones are dead letters", func() bool {
		listed, _ = mailvane(t, "deadletter", "list", "--admin", p.admin)
		return strings.Count(listed, "Refused") == 20
	})
	if !strings.Contains(listed, "mail/c") || !strings.Contains(listed, "422") {
		t.Errorf("the list does not say which sink and why:\n%s", listed)
	}

	sinks[2].decide(http.StatusOK)
	if out, status := mailvane(t, "deadletter", "retry", "--sink", "mail/c", "--admin", p.admin); status != 0 || !strings.Contains(out, "20 retried, 0 failed") {
		t.Errorf("retry: %d %s", status, out)
	}
	eventually(t, "the mended sink gets them", func() bool { return sinks[2].distinct() == 20 })
	if out, _ := mailvane(t, "deadletter", "list", "--admin", p.admin, "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("dead letters are left: %s", out)
	}
	p.stop()
}

func TestAChangedFolderIsLoadedAndABrokenOneIsNot(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, "sink.yaml", secrets+"---\n"+strings.Replace(httpSink("crm", "x"), "type: HTTP\n  http: {url: x, contentMode: Batched}", "type: Stdout", 1))
	write(t, folder, "ee.yaml", endpoint("ee", "  - {name: all, sinkRef: {name: crm}}\n"))
	p := start(t, folder, t.TempDir())
	send := func(name string) bool {
		_, status := mailvane(t, "send", "-f", folder, "--endpoint", name, "--event", "trackOpen", "--url", p.url)
		return status == 0
	}
	if status := p.probe("/hooks/mail/second"); status != http.StatusNotFound {
		t.Errorf("an endpoint that is not in the folder answers %d", status)
	}
	write(t, folder, "more.yaml", endpoint("second", "  - {name: all, sinkRef: {name: crm}}\n"))
	eventually(t, "the new endpoint is served", func() bool { return send("second") })

	write(t, folder, "more.yaml", endpoint("second", "  - {name: all, sinkRef: {name: nobody}}\n"))
	eventually(t, "the mistake is logged", func() bool {
		return strings.Contains(p.log(), "the last good one stays in force") && strings.Contains(p.log(), "nobody")
	})
	if !send("ee") {
		t.Error("the last good configuration is not in force")
	}
	if out, status := mailvane(t, "check", "-f", folder); status != 1 || !strings.Contains(out, "more.yaml:") {
		t.Errorf("check: %d %s", status, out)
	}
	eventually(t, "events reach the standard output", func() bool { return strings.Count(p.printed(), "email.opened") >= 2 })
	p.stop()
}

// TestAWrongMappingIsRefused has rules that cannot be meant: all of them are said at once, by their names.
func TestAWrongMappingIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, "sink.yaml", "apiVersion: mailvane.dev/v1alpha1\nkind: EventSink\nmetadata: {name: console, namespace: mail}\nspec: {type: Stdout}\n")
	write(t, folder, "endpoint.yaml", `apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mapping, namespace: mail}
spec:
  provider:
    type: StandardWebhooks
    standardWebhooks:
      publicKeys: [whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=]
      mapping: {type: itm.event, types: {hardBounce: email.bounce}, fields: {recipent: item.email}}
  routes: [{name: all, sinkRef: {name: console}}]
`)
	out, status := mailvane(t, "check", "-f", folder)
	if status != 1 {
		t.Errorf("check: %d", status)
	}
	for _, want := range []string{
		"mapping: type: does not compile", "undeclared reference to 'itm'", "types.hardBounce: must be a type of event, such as email.bounced",
		"fields.recipent: is no field that can be set",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("check does not say %q:\n%s", want, out)
		}
	}
}

// TestAWrongFilterIsRefusedInAFolder expects what was wrong before it is in use: at the start, and while the last good one serves.
func TestAWrongFilterIsRefusedInAFolder(t *testing.T) {
	t.Parallel()
	const good = "  - {name: all, sinkRef: {name: console}}\n"
	const wrong = good + "  - {name: bounces, sinkRef: {name: console}, filter: 'evnt.type == \"email.bounced\"'}\n"
	folder := t.TempDir()
	write(t, folder, "sink.yaml", secrets+"---\napiVersion: mailvane.dev/v1alpha1\nkind: EventSink\nmetadata: {name: console, namespace: mail}\nspec: {type: Stdout}\n")
	write(t, folder, "ee.yaml", endpoint("ee", wrong))
	out, status := mailvane(t, "run", "-f", folder, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
	if status != 1 || !strings.Contains(out, "spec.routes[1].filter: does not compile") || !strings.Contains(out, "undeclared reference to 'evnt'") {
		t.Errorf("at the start: %d\n%s", status, out)
	}

	write(t, folder, "ee.yaml", endpoint("ee", good))
	p := start(t, folder, t.TempDir())
	write(t, folder, "ee.yaml", endpoint("ee", wrong))
	eventually(t, "the mistake is logged", func() bool {
		return strings.Contains(p.log(), "the last good one stays in force") && strings.Contains(p.log(), "evnt")
	})
	if out, status := mailvane(t, "send", "-f", folder, "--endpoint", "ee", "--event", "trackOpen", "--url", p.url); status != 0 || !strings.Contains(out, `200 {"accepted":1,"duplicates":0}`) {
		t.Errorf("under the last good configuration: %d\n%s", status, out)
	}
	if out, _ := mailvane(t, "deadletter", "list", "--admin", p.admin, "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("dead letters: %s", out)
	}
	p.stop()
	if log := p.log(); !strings.Contains(log, "msg=stopping waiting=") || !strings.Contains(log, `msg="stopped; what still waits is in the journal" waiting=0`) {
		t.Errorf("the end is not told:\n%s", log)
	}
}

// TestTheReadmeByHand runs the README's own lines.
func TestTheReadmeByHand(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile(`(?m)^    (BODY=.*\n    SIGNATURE=.*\n    curl .*)$`).FindSubmatch(readme)
	if script == nil {
		t.Fatal("the README does not show it any more")
	}
	p := start(t, filepath.Join("..", "..", "config", "samples", "quickstart"), t.TempDir())
	lines := strings.ReplaceAll(string(script[1]), "http://127.0.0.1:8080", p.url)
	by := func(text string) string {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", text).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := by(lines); !strings.Contains(out, "200 OK") || !strings.Contains(out, `{"accepted":1,"duplicates":0}`) {
		t.Errorf("first: %s", out)
	}
	if out := by(lines); !strings.Contains(out, "200 OK") || !strings.Contains(out, `{"accepted":0,"duplicates":1}`) {
		t.Errorf("again: %s", out)
	}
	tampered := strings.Replace(lines, "    curl", "    BODY=${BODY/trackClick/trackOpen}\n    curl", 1)
	if out := by(tampered); tampered == lines || !strings.Contains(out, "401 Unauthorized") {
		t.Errorf("tampered: %s", out)
	}
	eventually(t, "the event reaches the standard output", func() bool { return strings.Contains(p.printed(), "email.clicked") })
	p.stop()
}
