// Package sendgrid makes the requests that Twilio SendGrid would send.
package sendgrid

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sendgrid/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign signs the time and the body with signingKey, an ECDSA private key in PKCS #8 PEM. An endpoint without keys gets no signature.
func Sign(data, signingKey []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("sendgrid: %w", err)
	}
	if len(s.Keys) == 0 {
		return nil
	}
	key, err := signingkey.Parse[*ecdsa.PrivateKey]("ECDSA", signingKey)
	if err != nil {
		return fmt.Errorf("sendgrid: %w", err)
	}
	timestamp := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	digest := sha256.Sum256(append([]byte(timestamp), r.Body...))
	value, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return fmt.Errorf("sendgrid: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", timestamp)
	r.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(value))
	return nil
}

// testMessage begins the id of the message that "Test Your Integration" is about.
const testMessage = "14c5d75ce93.dfd.64b469."

// messageID is that of the mail in the samples that came in.
const messageID = "inbound-sample@mail.example.org"

// Freshen gives the events of a sample another name and another message, and a mail another Message-ID.
func Freshen(r *provider.Request, unique string) {
	if len(r.Body) > 0 && r.Body[0] != '[' {
		r.Body = bytes.ReplaceAll(r.Body, []byte(messageID), []byte(unique+"@mail.example.org"))
		return
	}
	seconds := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		switch at.LastToken() {
		case "timestamp":
			return seconds
		case "sg_event_id":
			return wire.Quote(unique + "-" + token.String())
		case "sg_message_id":
			if strings.HasPrefix(token.String(), testMessage) {
				return ""
			}
			return wire.Quote(unique + ".filter0001.1001.6755A2C1-1.0")
		case "smtp-id":
			return wire.Quote("<" + unique + "@geopod-ismtpd-1>")
		default:
			return ""
		}
	})
}
