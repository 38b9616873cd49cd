// Package azurecommunicationservices makes the requests that Event Grid would send for Azure Communication Services.
package azurecommunicationservices

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are made for.
func Files() fs.FS { return files }

// Sign names the first of the subscriptions that may post. Nothing is signed, and tokens are Microsoft's to make.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("azurecommunicationservices: %w", err)
	}
	if s.Entra != nil {
		return errors.New("azurecommunicationservices: only Microsoft Entra ID makes the tokens that entra asks for; send to an endpoint without it")
	}
	if len(s.SubscriptionNames) > 0 {
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("Aeg-Subscription-Name", strings.ToUpper(s.SubscriptionNames[0]))
	}
	return nil
}

// Freshen gives the events of a sample other ids and the time now.
func Freshen(r *provider.Request, unique string) {
	now := wire.Quote(r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.0000000Z"))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "id":
			return wire.Quote(unique + strings.ReplaceAll(string(at), "/", "-"))
		case "messageId":
			return wire.Quote(unique)
		case "eventTime", "time", "deliveryAttemptTimeStamp", "userActionTimeStamp":
			return now
		default:
			return ""
		}
	})
}
