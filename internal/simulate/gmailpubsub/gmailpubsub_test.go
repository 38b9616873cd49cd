package gmailpubsub_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate/gmailpubsub"
	"github.com/mailvane/mailvane/receiver/provider"
)

// TestSign has an endpoint that asks for tokens, which nobody but Google makes.
func TestSign(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`{}`: "", `{"audiences": ["a"], "serviceAccounts": ["a@example.com"]}`: "only Google", `{"audiences": ["a"]}`: "serviceAccounts",
	} {
		if err := gmailpubsub.Sign([]byte(settings), nil, &provider.Request{}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
	}
}
