// Package engagelab makes the requests that EngageLab would send.
package engagelab

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/engagelab/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// appKey is the fixed value of the header with the key.
const appKey = "email"

// Sign sets the headers that EngageLab would send with the first app key; Auto signs as HMACSHA256.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("engagelab: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	timestamp := strconv.FormatInt(r.ReceivedAt.UnixMilli(), 10)
	r.Header.Set("X-Webhook-Timestamp", timestamp)
	r.Header.Set("X-Webhook-Appkey", appKey)
	var mac []byte
	switch s.Algorithm {
	case settings.MD5:
		digest := md5.Sum(slices.Concat([]byte(timestamp+appKey), s.Keys[0]))
		mac = digest[:]
	case settings.HMACSHA256ITime:
		var signed struct {
			ITime jsontext.Value `json:"itime"`
		}
		if err := json.Unmarshal(r.Body, &signed); err != nil || len(signed.ITime) == 0 {
			return errors.New("engagelab: the body has no itime to sign")
		}
		mac = signature.HMAC(sha256.New, s.Keys[0], bytes.Trim(signed.ITime, `"`))
	default:
		mac = signature.HMAC(sha256.New, s.Keys[0], []byte(timestamp))
	}
	r.Header.Set("X-Webhook-Signature", hex.EncodeToString(mac))
	return nil
}

// Freshen gives a sample another message id, with the recipients as they are, and the time now.
func Freshen(r *provider.Request, unique string) {
	milliseconds := strconv.FormatInt(r.ReceivedAt.UnixMilli(), 10)
	r.Body = wire.Edit(r.Body, func(pointer jsontext.Pointer, token jsontext.Token) string {
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
	if _, address, found := strings.Cut(old, "$"); found {
		return send + "0$" + address
	}
	return send
}
