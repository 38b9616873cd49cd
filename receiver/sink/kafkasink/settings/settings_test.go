package settings_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	kafkasettings "github.com/mailvane/mailvane/receiver/sink/kafkasink/settings"
)

const secret = "s3cret-8d1f"

func with(more string) string { return `{"brokers":["kafka:9093"]` + more + `}` }

func oauth(more string) string {
	return with(`,"authentication":{"oauth":{"tokenURL":"https://id.example.com/token","clientID":"a","clientSecret":"` + secret + `"` + more + `}}`)
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ reason, settings, want string }{
		"least":              {"all else has defaults", with(""), ""},
		"all":                {"every setting", `{"brokers":["a:1","[::1]:9093"],"topic":"mail.{type}","contentMode":"Binary","compression":"Zstd","idempotence":"Disable","maxRequestBytes":16384,"protocolVersion":"3.8","authentication":{"scramSHA512":{"username":"u","password":"p"}},"tlsMode":"Disable"}`, ""},
		"nobody":             {"a broker may ask for a certificate alone", with(`,"tls":{"serverName":"kafka.internal"}`), ""},
		"IAM":                {"a key of AWS", with(`,"authentication":{"awsIAM":{"accessKeyID":"A","secretAccessKey":"b"}}`), ""},
		"token":              {"scopes and extensions", oauth(`,"scopes":["a","https://a/.default"],"extensions":[{"name":"logicalCluster","value":"lkc-1"}]`), ""},
		"no broker":          {"events go nowhere", `{}`, "brokers must name a broker"},
		"no port":            {"there is no default", `{"brokers":["a:1","kafka"]}`, "brokers[1]"},
		"password in it":     {"nothing of it is repeated", `{"brokers":["u:` + secret + `@kafka:9093"]}`, "brokers[0]"},
		"port":               {"it is a number", `{"brokers":["kafka:0"]}`, "brokers[0]"},
		"attribute":          {"it does not exist", with(`,"topic":"mail.{name}"`), "topic must have one of {type}"},
		"slash":              {"Kafka takes none", with(`,"topic":"mail/a"`), "topic must not contain '/'"},
		"dots":               {"Kafka takes no such name", with(`,"topic":".."`), "topic must be no . or .. alone"},
		"no topic":           {"an empty one is none", with(`,"topic":""`), "topic must not be empty"},
		"mode":               {"which one is meant?", with(`,"contentMode":"Batched"`), "contentMode"},
		"compression":        {"as above", with(`,"compression":"Brotli"`), "compression"},
		"idempotence":        {"as above", with(`,"idempotence":"Maybe"`), "idempotence"},
		"small":              {"no event fits", with(`,"maxRequestBytes":16383`), "maxRequestBytes must be between"},
		"large":              {"brokers take no more", with(`,"maxRequestBytes":104857601`), "maxRequestBytes must be between"},
		"version":            {"it is one of Kafka", with(`,"protocolVersion":"latest"`), "protocolVersion"},
		"two ways":           {"which one is meant?", with(`,"authentication":{"plain":{"username":"u","password":"` + secret + `"},"scramSHA256":{"username":"u","password":"p"}}`), "authentication must be one of"},
		"half a key":         {"it signs nothing", with(`,"authentication":{"awsIAM":{"accessKeyID":"A"}}`), "authentication.awsIAM must have"},
		"no secret":          {"as above", with(`,"authentication":{"oauth":{"tokenURL":"https://a/token","clientID":"a"}}`), "clientID and clientSecretRef"},
		"credentials in URL": {"they would be in errors", with(`,"authentication":{"oauth":{"tokenURL":"https://u:` + secret + `@a/token","clientID":"a","clientSecret":"b"}}`), "tokenURL"},
		"no URL":             {"nothing of it is repeated", with(`,"authentication":{"oauth":{"tokenURL":"` + secret + `","clientID":"a","clientSecret":"b"}}`), "tokenURL"},
		"blank in a scope":   {"they are joined by blanks", oauth(`,"scopes":["a","b c"]`), "scopes[1]"},
		"extension auth":     {"it is the token", oauth(`,"extensions":[{"name":"auth","value":"b"}]`), "extensions[0]"},
		"control character":  {"it ends an extension", oauth(`,"extensions":[{"name":"a","value":"b\u0001auth=c"}]`), "extensions[0]"},
		"token authorities":  {"they are checked, and it is told where", oauth(`,"cas":["` + secret + `"]`), "authentication.oauth: tls.cas[0]"},
		"certificates":       {"they are checked", with(`,"tls":{"cas":["` + secret + `"]}`), "tls.cas[0]"},
		"tls disabled":       {"which one is meant?", with(`,"tlsMode":"Disable","tls":{"serverName":"a"}`), "tls must not be set"},
		"tls mode":           {"which one is meant?", with(`,"tlsMode":"Prefer"`), "tlsMode must be"},
	} {
		_, err := kafkasettings.Parse([]byte(tc.settings), settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

// TestDefaults are those of the API.
func TestDefaults(t *testing.T) {
	t.Parallel()
	p, err := kafkasettings.Parse([]byte(with("")), settings.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if topic, whole := p.Topic.Constant(); topic != "mailvane" || !whole || !p.Idempotent || p.MaxRequestBytes != 1_000_000 || p.TLS == nil || p.TLS.InsecureSkipVerify ||
		p.Compression != kafkasettings.CompressionSnappy || p.ContentMode != kafkasettings.ContentModeStructured || p.TokenTLS != nil {
		t.Errorf("%+v", p)
	}
}
