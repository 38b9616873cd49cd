package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	redissettings "github.com/mailvane/mailvane/receiver/sink/redissink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-8d1f"
	with := func(more string) string { return `{"addresses":["redis:6379"]` + more + `}` }
	for name, tc := range map[string]struct{ reason, settings, want string }{
		"least":           {"all else has defaults", with(""), ""},
		"cluster":         {"some of its servers", `{"addresses":["a:1","[2001:db8::1]:6379"],"mode":"Cluster"}`, ""},
		"sentinel":        {"with the name of a master", `{"addresses":["a:1","b:1"],"mode":"Sentinel","masterName":"mymaster","database":3}`, ""},
		"no address":      {"events go nowhere", `{}`, "addresses must name"},
		"no port":         {"there is no default", `{"addresses":["redis"]}`, "addresses[0]"},
		"URL":             {"a password would be in errors", `{"addresses":["redis://u:` + secret + `@redis:6379"]}`, "addresses[0]"},
		"two":             {"which one is meant?", `{"addresses":["a:1","b:1"]}`, "addresses must be one"},
		"mode":            {"words are spelled one way", with(`,"mode":"cluster"`), "mode must be"},
		"no master":       {"sentinels know several", with(`,"mode":"Sentinel"`), "masterName must be set"},
		"a master":        {"nobody asks for it", with(`,"masterName":"a"`), "masterName must be set"},
		"database":        {"a cluster has one", with(`,"mode":"Cluster","database":1`), "database must not be set"},
		"negative":        {"there is none", with(`,"database":-1`), "database must be"},
		"negative length": {"nothing would be kept", with(`,"maxLength":-1`), "maxLength must be"},
		"stream":          {"attributes have names", with(`,"stream":"mail:{name}"`), "stream must have one of {type}"},
		"blank":           {"a key of words is hard to type", with(`,"stream":"mail events"`), "stream must not contain ' '"},
		"two passwords":   {"which one is meant?", with(`,"password":"` + secret + `","basic":{"username":"u","password":"p"}`), "at most one of basicRef"},
		"tls mode":        {"words are spelled one way", with(`,"tlsMode":"Off"`), "tlsMode must be"},
		"tls when off":    {"which one is meant?", with(`,"tlsMode":"Disable","tls":{"serverName":"a"}`), "tls must not be set"},
		"certificates":    {"they are checked", with(`,"tls":{"cas":["` + secret + `"]}`), "tls.cas[0]"},
	} {
		_, err := redissettings.Parse([]byte(tc.settings), settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}
