package settings_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/settings"
	pgsettings "github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-8d1f"
	with := func(more string) string { return `{"hosts":["db"],"database":"mail","username":"u"` + more + `}` }
	for name, tc := range map[string]struct{ reason, settings, want string }{
		"least":          {"all else has defaults", with(""), ""},
		"password":       {"from a Secret", `{"hosts":["db"],"database":"mail","basic":{"username":"u","password":"` + secret + `"}}`, ""},
		"no hosts":       {"events go nowhere", `{"database":"mail","username":"u"}`, "hosts"},
		"URL":            {"a password would be in errors", `{"hosts":["postgres://u:` + secret + `@db"],"database":"mail","username":"u"}`, "hosts[0]"},
		"port":           {"ports have 16 bits", `{"hosts":["db:65536"],"database":"mail","username":"u"}`, "hosts[0]"},
		"port 0":         {"nobody listens there", `{"hosts":["db:0"],"database":"mail","username":"u"}`, "hosts[0]"},
		"no name":        {"an empty name is this machine", `{"hosts":[":5432"],"database":"mail","username":"u"}`, "hosts[0]"},
		"no database":    {"it would be that of the user's name", `{"hosts":["db"],"username":"u"}`, "database"},
		"no user":        {"it would be that of the process", `{"hosts":["db"],"database":"mail"}`, "exactly one of basicRef and username"},
		"two users":      {"which one is meant?", with(`,"basic":{"username":"a","password":"` + secret + `"}`), "exactly one of basicRef and username"},
		"table":          {"a name in capitals needs quotation marks everywhere", with(`,"table":"Events"`), "table must be"},
		"three parts":    {"a table is in a schema", with(`,"table":"a.b.c"`), "table must be"},
		"injection":      {"a name is a name", with(`,"table":"a; drop table b"`), "table must be"},
		"create":         {"words are spelled one way", with(`,"createTable":"true"`), "createTable must be"},
		"no connections": {"nothing would be sent", with(`,"maxConnections":0`), "maxConnections must be"},
		"mode":           {"words are spelled one way", with(`,"tlsMode":"Require"`), "tlsMode must be"},
		"tls when off":   {"which one is meant?", with(`,"tlsMode":"Disable","tls":{"serverName":"db.internal"}`), "tls must not be set"},
		"certificates":   {"they are checked", with(`,"tls":{"cas":["` + secret + `"]}`), "tls.cas[0]"},
	} {
		_, err := pgsettings.Parse([]byte(tc.settings), settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	text := `{"hosts":["db","db.mail.svc:6432","192.0.2.1","[2001:db8::1]","[2001:db8::1]:6432"],"database":"mail","username":"u","table":"a.b"}`
	p, err := pgsettings.Parse([]byte(text), settings.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	want := []pgsettings.Address{{Host: "db", Port: 5432}, {Host: "db.mail.svc", Port: 6432}, {Host: "192.0.2.1", Port: 5432}, {Host: "2001:db8::1", Port: 5432}, {Host: "2001:db8::1", Port: 6432}}
	if diff := cmp.Diff(want, p.Addresses); diff != "" || p.TLS == nil || p.MaxConnections != 4 || p.Create || len(p.Table) != 2 {
		t.Errorf("%+v\n%s", p, diff)
	}
}
