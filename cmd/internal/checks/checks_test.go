package checks_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestFileSinks checks a File sink for a cluster, which has no folder for such sinks, and for a receiver that has one.
func TestFileSinks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ files, path, want string }{
		"cluster":                 {"", "events.jsonl", "--file-sinks"},
		"with a folder":           {"files", "events.jsonl", ""},
		"with a folder, absolute": {"files", "/var/lib/mailvane/journal/OPTIONS-000003", "relative"},
	} {
		judges, err := checks.New(test.files)
		if err != nil {
			t.Fatal(err)
		}
		err = judges.Sink(config.Plugin{Type: "File", Settings: []byte(`{"path":"` + test.path + `"}`)})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
