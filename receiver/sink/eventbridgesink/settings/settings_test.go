package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	bridge "github.com/mailvane/mailvane/receiver/sink/eventbridgesink/settings"
)

const bus = `"busARN":"arn:aws:events:eu-west-1:123456789012:event-bus/mail"`

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, settings, want string }{
		"no bus":     {"it is required", `{}`, "busARN must be"},
		"a name":     {"a name is of an account", `{"busARN":"mail"}`, "busARN must be"},
		"a rule":     {"events are put onto a bus", `{"busARN":"arn:aws:events:eu-west-1:123456789012:rule/mail"}`, "busARN must be"},
		"AWS's":      {"AWS keeps it for itself", `{` + bus + `,"source":"aws.ses"}`, "source must"},
		"odd source": {"rules compare texts", `{` + bus + `,"source":"a b"}`, "source must"},
		"endpoint":   {"it is a URL", `{` + bus + `,"endpoint":"localhost:9324"}`, "endpoint must be"},
		"half a key": {"nothing can be signed", `{` + bus + `,"authentication":{"accessKeyID":"AKIA"}}`, "authentication"},
		"tls of AWS": {"AWS has a public certificate", `{` + bus + `,"tls":{"serverName":"events.internal"}}`, "tls needs an endpoint"},
	} {
		if _, err := bridge.Parse([]byte(test.settings), settings.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
	p, err := bridge.Parse([]byte(`{`+bus+`}`), settings.Environment{})
	if err != nil || p.Region != "eu-west-1" || p.Source != "mailvane" {
		t.Errorf("%+v, %v", p, err)
	}
}
