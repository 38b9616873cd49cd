package settings_test

import (
	"strings"
	"testing"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/pubsubsink/settings"
)

// TestParse refuses what cannot work, and tells no secret.
func TestParse(t *testing.T) {
	t.Parallel()
	const topic = `"topic":"projects/mail-1234/topics/mail-events"`
	key := func(text string) string { return `"serviceAccountKey":"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }
	good := key(`{"type":"service_account","client_email":"a@example.com","private_key":"-----BEGIN PRIVATE KEY----- s3cret"}`)
	for name, tc := range map[string]struct{ settings, want string }{
		"a topic":               {topic, ""},
		"a region":              {topic + `,"endpoint":"https://europe-west1-pubsub.googleapis.com"`, ""},
		"an emulator":           {topic + `,"endpoint":"http://127.0.0.1:8085"`, ""},
		"a key":                 {topic + "," + good, ""},
		"no topic":              {`"endpoint":"https://a.example.com"`, "topic must be"},
		"a short name":          {`"topic":"mail-events"`, "topic must be"},
		"a subscription":        {`"topic":"projects/mail-1234/subscriptions/mail-events"`, "topic must be"},
		"a key in clear text":   {topic + `,"endpoint":"http://127.0.0.1:8085",` + good, "clear text"},
		"a path":                {topic + `,"endpoint":"https://a.example.com/v1"`, "endpoint must be"},
		"credentials in a URL":  {topic + `,"endpoint":"https://s3cret@a.example.com"`, "endpoint must be"},
		"federated credentials": {topic + "," + key(`{"type":"external_account","token_url":"http://s3cret","credential_source":{"file":"/etc/passwd"}}`), "service_account"},
		"a user's credentials":  {topic + "," + key(`{"type":"authorized_user","refresh_token":"s3cret"}`), "service_account"},
		"no JSON":               {topic + "," + key("s3cret"), "in JSON"},
		"no private key":        {topic + "," + key(`{"type":"service_account","client_email":"a@example.com","private_key":"s3cret"}`), "private_key"},
		"another mode":          {topic + `,"contentMode":"Batched"`, "contentMode"},
		"another key":           {topic + `,"orderingKey":"Type"`, "orderingKey"},
	} {
		_, err := settings.Parse([]byte("{"+tc.settings+"}"), common.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}
