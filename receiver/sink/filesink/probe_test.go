package filesink_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestAProbeSaysWhatIsWrong looks for files that are not there or may not be written, and leaves nothing behind.
func TestAProbeSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Log("rights are not asked about: the superuser has all")
	}
	folder := t.TempDir()
	for name, mode := range map[string]os.FileMode{"closed": 0o500, "open": 0o700} {
		if err := os.Mkdir(filepath.Join(folder, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "frozen.jsonl"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		path   string
		want   sink.Cause
		rights bool
	}{
		"well":               {"open/events.jsonl", "", false},
		"well, at the top":   {"events.jsonl", "", false},
		"no folder":          {"nowhere/events.jsonl", sink.DestinationNotFound, false},
		"may not be written": {"frozen.jsonl", sink.CredentialRefused, true},
		"a folder":           {"open", sink.DeliveryFailing, false},
	} {
		if tc.rights && os.Getuid() == 0 {
			continue
		}
		err := openIn(t, folder, tc.path).(sink.Prober).Probe(t.Context())
		if (err == nil) != (tc.want == "") || err != nil && sink.CauseOf(err) != tc.want {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if tc.want == sink.DestinationNotFound {
			if err := openIn(t, folder, tc.path).Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != tc.want || sink.IsPermanent(err) {
				t.Errorf("%s: Send = %v", name, err)
			}
		}
	}
	left, err := os.ReadDir(filepath.Join(folder, "open"))
	if err != nil || len(left) > 0 {
		t.Errorf("a probe leaves %v, %v", left, err)
	}
}
