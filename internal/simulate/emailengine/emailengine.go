// Package emailengine makes the requests that EmailEngine would send.
package emailengine

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/emailengine/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// The headers of a webhook.
const (
	signatureHeader = "X-Ee-Wh-Signature"
	eventIDHeader   = "X-Ee-Wh-Event-Id"
)

// Sign sets the signature that EmailEngine would send with the first service secret, and an event id when there is none: a hash
// of the body in the form of a UUID, so that the same body stays the same event.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("emailengine: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get(eventIDHeader) == "" {
		sum := sha256.Sum256(r.Body)
		r.Header.Set(eventIDHeader, fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]))
	}
	if len(s.Keys) > 0 {
		mac := signature.HMAC(sha256.New, s.Keys[0], r.Body)
		r.Header.Set(signatureHeader, base64.RawURLEncoding.EncodeToString(mac))
	}
	return nil
}

// Freshen gives a sample the time now, its message another Message-ID and queue id, and its data a nonce, because not every event
// names something that could be changed. The event id is a header and is taken out.
func Freshen(r *provider.Request, unique string) {
	date := wire.Quote(r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	messageID := wire.Quote("<" + unique + "@example.com>")
	r.Header.Del(eventIDHeader)
	hasNonce := bytes.Contains(r.Body, []byte(`"nonce"`))
	r.Body = wire.Edit(r.Body, func(pointer jsontext.Pointer, token jsontext.Token) string {
		switch pointer {
		case "/date":
			return date
		case "/data":
			if token.Kind() == jsontext.KindBeginObject && !hasNonce {
				return `"nonce":` + wire.Quote(unique)
			}
		case "/data/nonce", "/data/queueId":
			return wire.Quote(unique)
		case "/data/messageId", "/data/headers/messageId":
			return messageID
		}
		return ""
	})
}
