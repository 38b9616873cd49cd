package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	natssettings "github.com/mailvane/mailvane/receiver/sink/natssink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-8d1f"
	with := func(more string) string { return `{"urls":["nats://nats:4222"]` + more + `}` }
	for name, tc := range map[string]struct{ reason, settings, want string }{
		"least":           {"all else has defaults", with(""), ""},
		"several servers": {"of one cluster", `{"urls":["nats://a:4222","tls://b","nats://[::1]:4222"]}`, ""},
		"no server":       {"events go nowhere", `{}`, "urls"},
		"other scheme":    {"websockets pass proxies, whose addresses cannot be checked", `{"urls":["ws://a"]}`, "urls[0]"},
		"password":        {"it would be in errors", `{"urls":["nats://a","nats://u:` + secret + `@b"]}`, "urls[1] must hold no credentials"},
		"path":            {"NATS has none", `{"urls":["nats://a/b"]}`, "urls[0]"},
		"unreadable":      {"nothing of it is repeated", `{"urls":["nats://a:` + secret + `"]}`, "urls[0]"},
		"attribute":       {"it does not exist", with(`,"subject":"mail.{name}"`), "subject must have one of {type}"},
		"wildcard":        {"nobody publishes to one", with(`,"subject":"mail.>"`), "subject must not contain '>'"},
		"empty token":     {"NATS takes none", with(`,"subject":"mail..{type}"`), "subject must have something"},
		"outer dot":       {"as above", with(`,"subject":"mail."`), "subject must have something"},
		"no subject":      {"as above", with(`,"subject":""`), "subject must not be empty"},
		"stream":          {"it has no dots", with(`,"stream":"a.b"`), "stream must be"},
		"two ways":        {"which one is meant?", with(`,"authentication":{"token":"` + secret + `","basic":{"username":"u","password":"p"}}`), "authentication must be one of"},
		"seed":            {"an account's seed is none of a user", with(`,"authentication":{"nkeySeed":"SA` + secret + `"}`), "authentication.nkeySeed must be"},
		"credentials":     {"a token is no credentials file", with(`,"authentication":{"credentials":"` + secret + `"}`), "authentication.credentials must be"},
		"certificates":    {"they are checked", with(`,"tls":{"cas":["` + secret + `"]}`), "tls.cas[0]"},
	} {
		_, err := natssettings.Parse([]byte(tc.settings), settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}
