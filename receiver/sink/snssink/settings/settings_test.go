package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	snssettings "github.com/mailvane/mailvane/receiver/sink/snssink/settings"
)

const topic = `"topicARN":"arn:aws:sns:eu-west-1:123456789012:mail"`

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, settings, want string }{
		"no topic":   {"it is required", `{}`, "topicARN must be"},
		"a name":     {"a name is of an account", `{"topicARN":"mail"}`, "topicARN must be"},
		"a queue":    {"it is another service's", `{"topicARN":"arn:aws:sqs:eu-west-1:123456789012:mail"}`, "topicARN must be"},
		"endpoint":   {"it is a URL", `{` + topic + `,"endpoint":"localhost:9324"}`, "endpoint must be"},
		"half a key": {"nothing can be signed", `{` + topic + `,"authentication":{"accessKeyID":"AKIA"}}`, "authentication"},
		"tls of AWS": {"AWS has a public certificate", `{` + topic + `,"tls":{"serverName":"sns.internal"}}`, "tls needs an endpoint"},
	} {
		if _, err := snssettings.Parse([]byte(test.settings), settings.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}

func TestWhatTheARNSays(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]struct {
		region string
		fifo   bool
	}{
		"arn:aws:sns:eu-west-1:123456789012:mail":          {"eu-west-1", false},
		"arn:aws-cn:sns:cn-north-1:123456789012:mail.fifo": {"cn-north-1", true},
	} {
		p, err := snssettings.Parse([]byte(`{"topicARN":"`+arn+`"}`), settings.Environment{})
		if err != nil || p.FIFO != want.fifo || p.Region != want.region {
			t.Errorf("%s: %+v, %v", arn, p, err)
		}
	}
}
