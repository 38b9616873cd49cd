package command_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/command"
	"github.com/mailvane/mailvane/receiver/httpproblem"
)

// TestUsage asks for what cannot be meant: each says what to write instead, and ends with status 2.
func TestUsage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		arguments []string
		status    int
		say       string
	}{
		"a version":                       {[]string{"version"}, 0, "mailvane "},
		"a version by flag":               {[]string{"--version"}, 0, "mailvane "},
		"an unknown command":              {[]string{"chek"}, 2, "unknown command"},
		"an unknown flag":                 {[]string{"sinks", "--nope"}, 2, "unknown flag"},
		"a folder without -f":             {[]string{"check", "manifests"}, 2, "check -f manifests"},
		"a cause that is none":            {[]string{"deadletter", "list", "--cause", "refused"}, 2, "it is one of Undecodable"},
		"a sink without its namespace":    {[]string{"deadletter", "list", "--sink", "crm"}, 2, "NAMESPACE/NAME"},
		"a cause that is none, to drop":   {[]string{"deadletter", "drop", "--cause", "x"}, 2, "it is one of"},
		"an ID and all of them":           {[]string{"deadletter", "drop", "1", "--all"}, 2, "name either the IDs"},
		"nothing named":                   {[]string{"deadletter", "retry"}, 2, "name either the IDs"},
		"nothing to send":                 {[]string{"send", "-f", "x", "--endpoint", "e", "--count", "0"}, 2, "--count"},
		"a size in another form":          {[]string{"run", "-f", "x", "--journal-max-bytes", "64MB"}, 2, "such as 64Mi"},
		"a time without a unit":           {[]string{"run", "-f", "x", "--dedupe-window", "5"}, 2, "30s, 5m or 24h"},
		"what the demo has of its own":    {[]string{"demo", "--data", "x"}, 2, "unknown flag: --data"},
		"a folder that is not there":      {[]string{"check", "-f", "/does/not/exist"}, 1, "/does/not/exist"},
		"a state that is none":            {[]string{"events", "--state", "Dead"}, 2, "it is one of Delivered, DeadLetter"},
		"a time that is none":             {[]string{"events", "--since", "yesterday"}, 2, "such as 2h"},
		"a time to come":                  {[]string{"events", "--since", "-2h"}, 2, "such as 2h"},
		"an endpoint without namespace":   {[]string{"events", "--endpoint", "ee"}, 2, "NAMESPACE/NAME"},
		"no events at all":                {[]string{"events", "--limit", "0"}, 2, "--limit must be"},
		"following JSON":                  {[]string{"events", "-f", "-o", "json"}, 2, "leave -o json out"},
		"an event without an ID":          {[]string{"event"}, 2, "accepts 1 arg"},
		"listening to nobody's URL":       {[]string{"listen"}, 2, "required flag"},
		"listening for a file":            {[]string{"listen", "--to", "ftp://localhost/x"}, 2, "write a URL"},
		"listening with half a filter":    {[]string{"listen", "--to", "http://localhost:1", "--filter", "event."}, 2, "--filter"},
		"a console for others":            {[]string{"console", "--admin", "127.0.0.1:1", "--console-listen", "0.0.0.0:9092"}, 2, "on loopback alone"},
		"a change without a reason":       {[]string{"suppression", "add", "a@example.com", "-f", "x"}, 2, "--reason"},
		"a release without a reason":      {[]string{"suppression", "release", "a@example.com", "-f", "x"}, 2, "--reason"},
		"suppressing no address":          {[]string{"suppression", "add", "example.com", "-f", "x", "--reason", "y"}, 2, "is no address"},
		"a class that is none":            {[]string{"suppression", "list", "-f", "x", "--class", "spam"}, 2, "it is one of bounce"},
		"an export in another form":       {[]string{"suppression", "export", "-f", "x", "-o", "xml"}, 2, "csv or jsonl"},
		"a list of nobody's":              {[]string{"suppression", "list"}, 2, "filename"},
		"nobody to erase":                 {[]string{"erase"}, 2, "--recipient ADDRESS"},
		"what was typed is not a command": {[]string{"\x1b[2Jx"}, 2, "[2Jx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out := run(tc.arguments...)
			if status != tc.status || !strings.Contains(out, tc.say) {
				t.Errorf("status %d, %q; want %d and %q", status, out, tc.status, tc.say)
			}
		})
	}
}

// TestAnotherPortIsNoAdminAPI asks where webhooks are taken, and where metrics are.
func TestAnotherPortIsNoAdminAPI(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		say    string
	}{
		"webhooks": {func(w http.ResponseWriter, _ *http.Request) {
			httpproblem.New(http.StatusNotFound, "unknown-path", "No webhook endpoint here", "No endpoint has this path.").Write(w)
		}, " is no admin API: webhooks are taken there. The admin API has an address of its own, --admin-listen"},
		"metrics": {http.NotFound, " is no admin API: the metrics and probes of a receiver may be there."},
		"a dead letter that is gone": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "there is no dead letter 7", http.StatusNotFound)
		}, "there is no dead letter 7"},
	} {
		server := httptest.NewServer(tc.answer)
		t.Cleanup(server.Close)
		status, out := run("endpoints", "--admin", strings.TrimPrefix(server.URL, "http://"))
		if status != 1 || !strings.Contains(out, tc.say) || strings.Contains(out, "{") {
			t.Errorf("%s: status %d, %q", name, status, out)
		}
	}
}

func run(arguments ...string) (status int, out string) {
	var all bytes.Buffer
	status = command.Run(append([]string{"mailvane"}, arguments...), &all, &all)
	return status, all.String()
}

// hostile is what a provider, a sink or a pod of somebody else may say.
const hostile = "\x1b]0;owned\a\x1b[2J\u009b31m\u202egnp.exe\r\x00"

// TestNothingHostileReachesTheTerminal has every command that shows something ask a receiver that answers with control characters.
func TestNothingHostileReachesTheTerminal(t *testing.T) {
	t.Parallel()
	escaped := `\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.exe\r\u0000`
	letter := `{"id":"1","cause":"` + escaped + `","reason":"` + escaped + `","endpoint":"` + escaped + `","sink":"` + escaped + `","time":"2026-01-02T03:04:05Z","payload":"not json ` + escaped + `"}`
	happened := `{"id":"` + escaped + `","type":"` + escaped + `","endpoint":"` + escaped + `","provider":"` + escaped + `","acceptedAt":"2026-01-02T03:04:05Z","time":"2026-01-02T03:04:05Z","state":"` + escaped +
		`","recipient":"<b>` + escaped + `","sender":"` + escaped + `","subject":"` + escaped + `","messageId":"` + escaped + `","reason":"` + escaped + `","sinks":["` + escaped + `"],"payload":"` + escaped +
		`","attempts":[{"sink":"` + escaped + `","time":"2026-01-02T03:04:05Z","outcome":"` + escaped + `","answer":"` + escaped + `"}]}`
	for path, answer := range map[string]string{
		"/v1/history/events":   `{"events":[` + happened + `]}`,
		"/v1/history/refusals": `[{"time":"2026-01-02T03:04:05Z","endpoint":"` + escaped + `","reason":"` + escaped + `","headers":["` + escaped + `"]}]`,
		"/v1/deadletters":      "[" + letter + "]", "/v1/deadletters/1": letter,
		"/v1/sinks":     `[{"name":"` + escaped + `","type":"HTTP","lastError":"` + escaped + `"}]`,
		"/v1/endpoints": `[{"name":"` + escaped + `","provider":"` + escaped + `","path":"` + escaped + `"}]`,
		"an error":      "",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				http.Error(w, hostile, http.StatusTeapot)
				return
			}
			_, _ = w.Write([]byte(answer))
		}))
		t.Cleanup(server.Close)
		for _, arguments := range [][]string{
			{"deadletter", "list"},
			{"deadletter", "list", "-o", "json"},
			{"deadletter", "show", "1"},
			{"deadletter", "drop", "1"},
			{"sinks"},
			{"sinks", "-o", "json"},
			{"endpoints"},
			{"endpoints", "-o", "json"},
			{"events"},
			{"events", "-o", "json"},
			{"events", "--refused"},
			{"event", "1"},
			{"timeline", "m"},
			{"erase", "--recipient", "a@example.com", "--yes"},
		} {
			_, out := run(append(arguments, "--admin", strings.TrimPrefix(server.URL, "http://"))...)
			if out == "" || strings.ContainsFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
				t.Errorf("%s: %v: %q", path, arguments, out)
			}
		}
	}
}
