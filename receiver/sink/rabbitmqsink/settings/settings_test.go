package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	rabbitmqsettings "github.com/mailvane/mailvane/receiver/sink/rabbitmqsink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-8d1f"
	with := func(more string) string {
		return `{"addresses":["rabbitmq:5671"],"basic":{"username":"u","password":"` + secret + `"}` + more + `}`
	}
	for name, tc := range map[string]struct{ reason, settings, want string }{
		"least":          {"all else has defaults", with(""), ""},
		"all":            {"every setting", with(`,"virtualHost":"mail","exchange":"events","routingKey":"a.{type}","contentMode":"Binary","tlsMode":"Disable"`), ""},
		"several nodes":  {"of one cluster", `{"addresses":["a:1","[::1]:5671"],"basic":{"username":"u","password":"p"}}`, ""},
		"no node":        {"events go nowhere", `{"basic":{"username":"u","password":"p"}}`, "addresses must name a node"},
		"password in it": {"nothing of it is repeated", `{"addresses":["u:` + secret + `@a:1"],"basic":{"username":"u","password":"p"}}`, "addresses[0]"},
		"port":           {"it is a number", `{"addresses":["a:b"],"basic":{"username":"u","password":"p"}}`, "addresses[0]"},
		"nobody":         {"RabbitMQ knows who publishes", `{"addresses":["a:1"]}`, "basicRef must be set, or tls.secretRef"},
		"authority only": {"it shows nobody", `{"addresses":["a:1"],"tls":{"serverName":"a"}}`, "basicRef must be set, or tls.secretRef"},
		"no host":        {"the default is written out", with(`,"virtualHost":""`), "virtualHost must have"},
		"long host":      {"AMQP takes no more", with(`,"virtualHost":"` + strings.Repeat("a", 256) + `"`), "virtualHost must have"},
		"exchange":       {"a name is a name", with(`,"exchange":"a b"`), "exchange must be"},
		"attribute":      {"it does not exist", with(`,"routingKey":"mail.{name}"`), "routingKey must have one of {type}"},
		"wildcard":       {"nobody publishes to one", with(`,"routingKey":"mail.#"`), "routingKey must not contain '#'"},
		"no key":         {"an empty one is none", with(`,"routingKey":""`), "routingKey must not be empty"},
		"mode":           {"which one is meant?", with(`,"contentMode":"Batched"`), "contentMode must be"},
		"certificates":   {"they are checked", with(`,"tls":{"cas":["` + secret + `"]}`), "tls.cas[0]"},
		"tls disabled":   {"which one is meant?", with(`,"tlsMode":"Disable","tls":{"serverName":"a"}`), "tls must not be set"},
		"tls mode":       {"which one is meant?", with(`,"tlsMode":"Prefer"`), "tlsMode must be"},
	} {
		_, err := rabbitmqsettings.Parse([]byte(tc.settings), settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

// TestDefaults are those of the API.
func TestDefaults(t *testing.T) {
	t.Parallel()
	p, err := rabbitmqsettings.Parse([]byte(`{"addresses":["a:1"],"basic":{"username":"u","password":"p"}}`), settings.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if p.VirtualHost != "/" || p.Exchange != "" || p.ContentMode != rabbitmqsettings.ContentModeStructured || p.TLS == nil || p.TLS.InsecureSkipVerify {
		t.Errorf("%+v", p)
	}
}
