package command

import (
	"log/slog"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/tokenfile"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/app"
)

// makeToken makes a token for the admin API, unless the user has given one.
func makeToken(settings *app.Settings) {
	if settings.AdminListen != "" && settings.AdminTokens == "" && settings.AdminTokenFile == "" {
		settings.AdminToken = access.NewToken()
	}
}

// keepToken puts the token that was made where the other commands of the same user find it. It returns where that is, and what removes
// it.
func keepToken(settings *app.Settings, address string, log *slog.Logger) (path string, remove func()) {
	if settings.AdminToken == "" {
		return "", func() {}
	}
	file, err := tokenfile.Keep(address, settings.AdminToken)
	if err != nil {
		log.Warn("nobody can use the admin API; give it a token with --admin-token-file", "error", err)
		return "", func() {}
	}
	return file.Path, file.Remove
}
