package emailengine

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// sign sets the signature that EmailEngine would send with the first service secret, and an event id when there is none: a hash
// of the body in the form of a UUID, so that the same body stays the same event.
func sign(data, _ []byte, r *provider.Request) error {
	w, err := parse(data)
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
	if len(w.keys) > 0 {
		mac := signature.HMAC(sha256.New, w.keys[0], r.Body)
		r.Header.Set(signatureHeader, base64.RawURLEncoding.EncodeToString(mac))
	}
	return nil
}

// freshen gives a sample the time now, its message another Message-ID and queue id, and its data a nonce, because not every event
// names something that could be changed. The event id is not in the body: a fresh request goes without the header.
func freshen(body []byte, unique string, now time.Time) []byte {
	date := wire.Quote(now.UTC().Format("2006-01-02T15:04:05.000Z"))
	messageID := wire.Quote("<" + unique + "@example.com>")
	hasNonce := bytes.Contains(body, []byte(`"nonce"`))
	return wire.Edit(body, func(pointer jsontext.Pointer, token jsontext.Token) string {
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
