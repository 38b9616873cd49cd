package providertest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// goldenBatch is the form of a golden file.
type goldenBatch struct {
	Events      []event.Event       `json:"events"`
	Undecodable []goldenUndecodable `json:"undecodable"`
	Refused     int                 `json:"refused"`
}

type goldenUndecodable struct {
	Reason string `json:"reason"`
	Raw    string `json:"raw"`
}

func (s Suite) golden(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	if _, err := w.Verify(t.Context(), sample.request); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	got := render(t, w.Decode(sample.request))
	path := filepath.Join("testdata", strings.TrimSuffix(sample.name, ".http")+".golden.json")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func render(t testing.TB, b provider.Batch) string {
	t.Helper()
	g := goldenBatch{Events: b.Events, Refused: b.Refused}
	for _, u := range b.Undecodable {
		g.Undecodable = append(g.Undecodable, goldenUndecodable{Reason: u.Reason, Raw: string(u.Raw)})
	}
	data, err := json.Marshal(g, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatalf("a batch must be encodable: %v", err)
	}
	return string(data) + "\n"
}
