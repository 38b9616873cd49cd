// Package resend makes the requests that Resend would send.
package resend

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/mailvane/mailvane/internal/simulate/standardwebhooks"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/resend/settings"
	basic "github.com/mailvane/mailvane/receiver/settings"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// prefix begins the names of the headers, which are those of Svix.
const prefix = "Svix-"

// Sign signs with the first secret.
func Sign(data, _ []byte, r *provider.Request) error {
	var s settings.Settings
	err := basic.Decode(data, &s)
	if err == nil {
		_, err = settings.Parse(data)
	}
	if err != nil {
		return fmt.Errorf("resend: %w", err)
	}
	standardwebhooks.SignWith(s.SigningSecrets[0], prefix, r)
	return nil
}

// Freshen makes a message of a sample that is another one and happens now.
func Freshen(r *provider.Request, unique string) { standardwebhooks.FreshenWith(r, prefix, unique) }
