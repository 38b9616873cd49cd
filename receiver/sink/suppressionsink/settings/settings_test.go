package settings_test

import (
	"strings"
	"testing"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/suppressionsink/settings"
)

// TestParse reads either store with its defaults, refuses what cannot work, and tells no secret.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ settings, want string }{
		"PostgreSQL":    {`"postgreSQL":{"hosts":["db"],"database":"mail","username":"mailvane"}`, ""},
		"Redis":         {`"redis":{"addresses":["redis:6379"],"password":"s3cret"}`, ""},
		"a prefix":      {`"redis":{"addresses":["redis:6379"],"keyPrefix":"{mail}:list/"}`, ""},
		"neither":       {``, "exactly one"},
		"both":          {`"postgreSQL":{},"redis":{}`, "exactly one"},
		"no host":       {`"postgreSQL":{"database":"mail","username":"mailvane"}`, "postgreSQL: hosts must"},
		"no user":       {`"postgreSQL":{"hosts":["db"],"database":"mail"}`, "exactly one of basicRef and username"},
		"a mode":        {`"redis":{"addresses":["redis:6379"],"mode":"Sentinel"}`, "masterName"},
		"a pattern":     {`"redis":{"addresses":["redis:6379"],"keyPrefix":"*"}`, "keyPrefix"},
		"a stream":      {`"redis":{"addresses":["redis:6379"],"stream":"mail"}`, "stream"},
		"unknown":       {`"mysql":{}`, "mysql"},
		"a wrong table": {`"postgreSQL":{"hosts":["db"],"database":"mail","table":"a b","basic":{"username":"m","password":"s3cret"}}`, "table must"},
	} {
		parsed, err := settings.Parse([]byte("{"+tc.settings+"}"), common.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err == nil && parsed.PostgreSQL != nil && parsed.PostgreSQL.Table[0] != "mailvane_suppressions" {
			t.Errorf("%s: %v", name, parsed.PostgreSQL.Table)
		}
		if err == nil && parsed.Redis != nil && name == "Redis" && parsed.KeyPrefix != "mailvane:suppression:" {
			t.Errorf("%s: %v", name, parsed.KeyPrefix)
		}
	}
}
