package sinktls_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
)

// TestConfig has settings that no certificate is needed for; package httpsink connects with those of real ones.
func TestConfig(t *testing.T) {
	t.Parallel()
	const key = "not-a-key-8d1f"
	for name, tc := range map[string]struct {
		reason   string
		settings sinktls.Settings
		want     string
	}{
		"nothing":     {"the defaults are nil", sinktls.Settings{}, ""},
		"server name": {"the authorities are those of the machine", sinktls.Settings{ServerName: "kafka.internal"}, ""},
		"no PEM":      {"it is told which one", sinktls.Settings{CAs: []string{key}}, "tls.cas[0] holds no certificate in PEM"},
		"broken":      {"it is told which one", sinktls.Settings{CAs: []string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}, "tls.cas[0] holds a certificate that cannot be read"},
		"no identity": {"a key alone shows nothing", sinktls.Settings{Secret: &settings.KeyPair{Key: key}}, "tls.secret: tls.crt holds no certificate"},
	} {
		config, err := sinktls.Config(tc.settings, settings.Environment{})
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), key)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
		if (config == nil) != (name != "server name") {
			t.Errorf("%s: %+v", name, config)
		}
		if config != nil && (config.ServerName != "kafka.internal" || config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify) {
			t.Errorf("%s: %+v", name, config)
		}
	}
}
