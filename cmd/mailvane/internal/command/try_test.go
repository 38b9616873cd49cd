package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/command"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/tryout"
	"github.com/mailvane/mailvane/config/samples"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/event"
)

const (
	root       = "../../../../"
	customs    = root + "config/samples/custom"
	quickstart = root + "config/samples/" + samples.QuickstartFolder
)

// try runs check --try -o json, and returns what it printed and its status.
func try(t *testing.T, arguments ...string) (tryout.Result, int, string) {
	t.Helper()
	var out, problems bytes.Buffer
	status := command.Run(append([]string{"mailvane", "check", "-o", "json"}, arguments...), &out, &problems)
	var r tryout.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil && status == 0 {
		t.Fatalf("%v: %v:\n%s%s", arguments, err, out.String(), problems.String())
	}
	return r, status, out.String() + problems.String()
}

// records returns the records of the events.
func records(t *testing.T, r *tryout.Result) []event.Event {
	t.Helper()
	all := []event.Event{}
	for i := range r.Events {
		envelope, err := event.ParseEnvelope(r.Events[i].Event)
		if err != nil {
			t.Fatal(err)
		}
		e, err := envelope.Event()
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Raw.Compact(); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// differing are the samples that the description in YAML cannot read as the built-in provider does, each with the reason.
func differing() map[string]string {
	return map[string]string{
		"mailtrap/lines":  "an endpoint has one way to say where events are, and the list's is body.events",
		"mailtrap/single": "the same",
		"mailtrap/other":  "the same: it has no list either",
	}
}

// TestCustomSamples holds providers that are written in YAML against the golden files of those that are built in. What differs is the name of
// the provider; the ids, which begin with a word of their own; and raw, which keeps the list around an event, so that items finds it again. A mark
// for events that are old is made by receivers and in no golden file.
func TestCustomSamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mailtrap", "mailpace"} {
		requests, err := filepath.Glob(root + "internal/simulate/" + name + "/samples/*.http")
		if err != nil || len(requests) == 0 {
			t.Fatalf("%s: no samples: %v", name, err)
		}
		for _, path := range requests {
			sample := strings.TrimSuffix(filepath.Base(path), ".http")
			t.Run(name+"/"+sample, func(t *testing.T) {
				t.Parallel()
				r, status, out := try(t, "-f", customs, "--endpoint", name, "--try", path, "--at", "2026-01-02T03:04:05Z")
				if _, differs := differing()[name+"/"+sample]; differs {
					if status != 1 || !r.Verified || len(r.DeadLetters) == 0 {
						t.Errorf("status %d, %s", status, out)
					}
					return
				}
				if status != 0 || !r.Verified || r.Key != "0" {
					t.Fatalf("status %d, %s", status, out)
				}
				got := records(t, &r)
				want := golden(t, root+"receiver/provider/"+name+"/testdata/"+sample+".golden.json")
				for i := range want {
					want[i].Provider, want[i].ID = "Custom", ""
					if name == "mailtrap" {
						want[i].Raw = []byte(`{"events":[` + string(want[i].Raw) + `]}`)
					}
				}
				for i := range got {
					if got[i].ID, got[i].Late = "", false; len(r.Events[i].Sinks) != 1 {
						t.Errorf("event %d goes to %v", i, r.Events[i].Sinks)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-built in +in YAML:\n%s", diff)
				}
			})
		}
	}
}

func golden(t *testing.T, path string) []event.Event {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var batch struct {
		Events []event.Event `json:"events"`
	}
	if err := json.Unmarshal(text, &batch); err != nil {
		t.Fatal(err)
	}
	for i := range batch.Events {
		if err := batch.Events[i].Raw.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	return batch.Events
}

// TestTryEveryProvider tries a sample of each provider on the endpoint of the quickstart. Most are too old for the tolerance of their own, or
// were signed for the keys of the samples; but each is read, and its events are shown.
func TestTryEveryProvider(t *testing.T) {
	t.Parallel()
	for _, p := range catalogue.Providers() {
		t.Run(p.Type, func(t *testing.T) {
			t.Parallel()
			requests, err := filepath.Glob(root + "internal/simulate/" + p.Folder() + "/samples/*.http")
			if err != nil || len(requests) == 0 {
				t.Fatalf("no samples: %v", err)
			}
			// Reading the manifests takes longer than all else: one sample is enough to see that the provider is linked.
			r, _, out := try(t, "-f", quickstart, "--endpoint", p.Folder(), "--try", requests[0], "--at", "2026-01-01T10:00:02Z")
			if r.Provider != p.Type || !r.Verified && r.Refusal == "" {
				t.Errorf("%s: %s", requests[0], out)
			}
			shown := len(r.Events) + len(r.DeadLetters)
			if shown == 0 && r.Handshake == nil && !strings.HasPrefix(r.Refusal, "authentication: ") {
				t.Errorf("%s: nothing was shown: %s", requests[0], out)
			}
		})
	}
}

// request writes a request into a file.
func request(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "request.http")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTryFiles has files that are no request, and requests that are odd.
func TestTryFiles(t *testing.T) {
	t.Parallel()
	const head = "POST /hooks/mail/mailtrap HTTP/1.1\r\nHost: hooks.example.com\r\n"
	const signed = "Mailtrap-Signature: b9a92796ae6e9c5bb03ef3fafa0b6d0a5ef0d5fcd3bd3a76ac2ea5f0c7a1b0ab\r\n"
	for name, c := range map[string]struct {
		text, say string
		arguments []string
	}{
		"nothing":                      {"", "there is no empty line behind the headers", nil},
		"a body alone":                 {`{"events": []}`, "is no HTTP request", nil},
		"headers alone":                {head, "there is no empty line behind the headers", nil},
		"an answer":                    {"HTTP/1.1 200 OK\r\n\r\n", "is no HTTP request", nil},
		"a body that is cut off":       {head + "Content-Length: 20\r\n\r\n{}", "the body is cut off, at 2 bytes of 20", nil},
		"a line break behind the body": {head + "Content-Length: 2\r\n\r\n{}\n", "there are 1 bytes behind the body", nil},
		"no signature":                 {head + "\r\n{}", "signature: signature_missing: a header of the signature is not there", nil},
		"another signature":            {head + signed + "\r\n{}", "signature: signature_mismatch: no key made it", nil},
		"as a tool prints it":          {strings.ReplaceAll(strings.Replace(head, "HTTP/1.1", "HTTP/2", 1), "\r\n", "\n") + "\n{}", "signature_missing", nil},
		"a method that posts nothing":  {strings.Replace(head, "POST", "GET", 1) + "\r\n", "the method is GET: events are posted", nil},
		"a compressed body":            {head + "Content-Encoding: gzip\r\n\r\n{}", "turn compression off", nil},
		"a path of nobody":             {strings.Replace(head, "mailtrap", "nobody", 1) + "\r\n{}", "no endpoint has the path of the request; name one with --endpoint: [mail/mailpace mail/mailtrap]", nil},
		"a path of nobody, and a name": {strings.Replace(head, "mailtrap", "nobody", 1) + "\r\n{}", "signature_missing", []string{"--endpoint", "mail/mailtrap"}},
		"a name of nobody":             {head + "\r\n{}", `no endpoint "nobody"; there are`, []string{"--endpoint", "nobody"}},
		"a time that is none":          {head + "\r\n{}", "--at: a time such as", []string{"--at", "yesterday"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, status, out := try(t, append([]string{"-f", customs, "--try", request(t, c.text)}, c.arguments...)...)
			if want := 1 + strings.Count(name, "a time that is none"); status != want || !strings.Contains(out, c.say) {
				t.Errorf("status %d, %q", status, out)
			}
		})
	}
	if _, status, out := try(t, "-f", customs, "--try", "/does/not/exist"); status != 1 || !strings.Contains(out, "/does/not/exist") {
		t.Errorf("no file: %d, %s", status, out)
	}
	if status, out := run("check", "-f", customs, "--endpoint", "mailtrap"); status != 2 || !strings.Contains(out, "go with --try") {
		t.Errorf("without --try: %d, %s", status, out)
	}
	if status, out := run("check", "-f", customs, "--try", request(t, head+"\r\n{}"), "-o", "yaml"); status != 2 || !strings.Contains(out, "use table or json") {
		t.Errorf("another format: %d, %s", status, out)
	}
}

// TestTryShows has what people see: the verdict, the event, where it goes, and a dead letter with its reason.
func TestTryShows(t *testing.T) {
	t.Parallel()
	status, out := run("check", "-f", customs, "--try", root+"internal/simulate/mailtrap/samples/bounce.http")
	for _, want := range []string{"endpoint mail/mailtrap (Custom)", "verified, by key 0", "event 1, to mail/console:", `"type": "dev.mailvane.email.bounced.v1"`} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d; %q is not in:\n%s", status, want, out)
		}
	}
	status, out = run("check", "-f", customs, "--try", root+"internal/simulate/mailtrap/samples/single.http")
	if status != 1 || !strings.Contains(out, "dead letter 1, Undecodable: items: there is no list at body.events") {
		t.Errorf("status %d:\n%s", status, out)
	}
	forged := request(t, "POST /hooks/mail/mailtrap HTTP/1.1\r\nHost: h\r\nMailtrap-Signature: 00\r\n\r\n"+`{"events": [{"event": "open", "email": "a@example.com"}]}`)
	status, out = run("check", "-f", customs, "--try", forged)
	if status != 1 || !strings.Contains(out, "refused: signature: signature_mismatch") || !strings.Contains(out, "if it were authentic, it would become:") ||
		strings.Contains(out, "0123456789abcdef") {
		t.Errorf("status %d:\n%s", status, out)
	}
}

// TestTryAsksNoMetadataService has a manifest that would have keys fetched from where clouds hand out credentials.
func TestTryAsksNoMetadataService(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	manifests := `apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: console, namespace: mail}
spec: {type: Stdout}
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailchannels, namespace: mail}
spec:
  provider: {type: MailChannels, mailChannels: {customerHandles: [abc123], publicKeyURL: "https://169.254.169.254/latest/meta-data"}}
  authentication: {allowedCIDRs: [203.0.113.0/24]}
  routes: [{name: all, sinkRef: {name: console}}]
`
	if err := os.WriteFile(filepath.Join(folder, "all.yaml"), []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	r, status, out := try(t, "-f", folder, "--try", root+"internal/simulate/mailchannels/samples/delivered.http")
	if status != 1 || r.Verified || !strings.Contains(r.Refusal, "link-local or a metadata service and is not allowed") {
		t.Errorf("status %d: %s", status, out)
	}
}

// TestTryShowsNothingHostile has a stranger's request with control characters, raw and escaped in JSON.
func TestTryShowsNothingHostile(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"events": [{"event": "open", "email": "a@example.com", "reason": "\u001b[2J\u009b\u202e"}]}`,
		"\x1b]0;title\x07 \u009b2J \u202e no JSON",
	} {
		forged := request(t, "POST /hooks/mail/mailtrap HTTP/1.1\r\nHost: h\r\nMailtrap-Signature: \u009b\r\n\r\n"+body)
		status, out := run("check", "-f", customs, "--try", forged)
		if status != 1 || strings.ContainsAny(out, "\x1b\x07\u009b\u202e") {
			t.Errorf("status %d: %q", status, out)
		}
	}
}
