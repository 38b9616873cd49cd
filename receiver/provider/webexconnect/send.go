package webexconnect

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

// sign sets the signature that the platform would send with the first hub secret; without one it sends none.
func sign(data, _ []byte, r *provider.Request) error {
	w, err := parse(data)
	if err != nil {
		return fmt.Errorf("webexconnect: %w", err)
	}
	if len(w.keys) == 0 {
		return nil
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	mac := signature.HMAC(w.algorithm.newHash, w.keys[0], r.Body)
	r.Header.Set(signatureHeader, w.algorithm.prefix+hex.EncodeToString(mac))
	return nil
}

// freshen gives a sample a new transaction and the time now.
func freshen(body []byte, unique string, now time.Time) []byte {
	at := now.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	return wire.Edit(body, func(pointer jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		switch pointer.LastToken() {
		case "transid", "tid":
			return wire.Quote(unique)
		case "timeStamp", "ts":
			return wire.Quote(at)
		default:
			return ""
		}
	})
}
