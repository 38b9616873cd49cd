package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	sqssettings "github.com/mailvane/mailvane/receiver/sink/sqssink/settings"
)

const queue = `"queueURL":"https://sqs.eu-west-1.amazonaws.com/123456789012/mail"`

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, settings, want string }{
		"no queue":   {"it is required", `{"region":"eu-west-1"}`, "queueURL must be"},
		"a name":     {"a name is of an account", `{"queueURL":"mail","region":"eu-west-1"}`, "queueURL must be"},
		"an ARN":     {"SQS wants the URL", `{"queueURL":"arn:aws:sqs:eu-west-1:123456789012:mail","region":"eu-west-1"}`, "queueURL must be"},
		"no region":  {"it is signed for", `{` + queue + `}`, "region must be"},
		"endpoint":   {"it is a URL", `{` + queue + `,"region":"eu-west-1","endpoint":"localhost:9324"}`, "endpoint must be"},
		"half a key": {"nothing can be signed", `{` + queue + `,"region":"eu-west-1","authentication":{"accessKeyID":"AKIA"}}`, "authentication"},
		"tls of AWS": {"AWS has a public certificate", `{` + queue + `,"region":"eu-west-1","tls":{"serverName":"sqs.internal"}}`, "tls needs an endpoint"},
	} {
		if _, err := sqssettings.Parse([]byte(test.settings), settings.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}

func TestFIFO(t *testing.T) {
	t.Parallel()
	for suffix, fifo := range map[string]bool{"": false, ".fifo": true, "-fifo": false} {
		p, err := sqssettings.Parse([]byte(`{"queueURL":"https://sqs.eu-west-1.amazonaws.com/123456789012/mail`+suffix+`","region":"eu-west-1"}`), settings.Environment{})
		if err != nil || p.FIFO != fifo {
			t.Errorf("%s: %+v, %v", suffix, p, err)
		}
	}
}
