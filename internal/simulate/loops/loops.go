// Package loops makes the requests that Loops would send.
package loops

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/standardwebhooks"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/loops/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	basic "github.com/mailvane/mailvane/receiver/settings"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// prefix begins the names of the headers.
const prefix = "Webhook-"

// Sign signs with the first secret.
func Sign(data, _ []byte, r *provider.Request) error {
	var s settings.Settings
	err := basic.Decode(data, &s)
	if err == nil {
		_, err = settings.Parse(data)
	}
	if err != nil {
		return fmt.Errorf("loops: %w", err)
	}
	standardwebhooks.SignWith(s.SigningSecrets[0], prefix, r)
	return nil
}

// Freshen makes a message of a sample that is another one and happens now.
func Freshen(r *provider.Request, unique string) {
	r.Header.Set(prefix+"Id", "msg_"+unique)
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		if at == "/eventTime" {
			return now
		}
		return ""
	})
}
