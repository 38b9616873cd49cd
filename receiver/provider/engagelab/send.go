package engagelab

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// sign sets the headers that EngageLab would send with the first app key; Auto signs as HMACSHA256.
func sign(data, _ []byte, r *provider.Request) error {
	w, err := parse(data)
	if err != nil {
		return fmt.Errorf("engagelab: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(timestampHeader, strconv.FormatInt(r.ReceivedAt.UnixMilli(), 10))
	r.Header.Set(appKeyHeader, appKeyValue)
	message, err := signedTime(r, w.algorithm)
	if err != nil {
		return fmt.Errorf("engagelab: finding the time to sign: %w", err)
	}
	r.Header.Set(signatureHeader, hex.EncodeToString(sum(w.algorithm, w.keys[0], message)))
	return nil
}

// freshen gives a sample another message id, with the recipients as they are, and the time now.
func freshen(body []byte, unique string, now time.Time) []byte {
	milliseconds := strconv.FormatInt(now.UnixMilli(), 10)
	return wire.Edit(body, func(pointer jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		if pointer.Parent().LastToken() == "email_ids" {
			return wire.Quote(freshID(unique, token.String()))
		}
		switch pointer.LastToken() {
		case "itime":
			return milliseconds
		case "message_id", "email_id":
			return wire.Quote(freshID(unique, token.String()))
		default:
			return ""
		}
	})
}

// freshID replaces the send id of "<send id><index>$<address>".
func freshID(unique, old string) string {
	send := unique + "-inbound"
	if address := recipientOf(old); address != "" {
		return send + "0$" + address
	}
	return send
}
