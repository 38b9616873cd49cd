// Package mailgun makes the requests that Mailgun would send.
package mailgun

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailgun/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// parentSignature is where a body has the signature of a subaccount's parent.
const parentSignature = "/signature/parent-signature"

// Sign signs the token of the body and the time now with the first signing key: as the parent, where the body has its signature.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("mailgun: %w", err)
	}
	timestamp := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	value := func(token string) string {
		return hex.EncodeToString(signature.HMAC(sha256.New, s.Keys[0], []byte(timestamp+token)))
	}
	if isForm(r.Body) {
		r.Body = setField(r.Body, "signature", value(field(r.Body, "token")))
		r.Body = setField(r.Body, "timestamp", timestamp)
		return nil
	}
	token, place := "", jsontext.Pointer("/signature/signature")
	wire.Edit(r.Body, func(at jsontext.Pointer, t jsontext.Token) string {
		switch at {
		case "/signature/token":
			token = t.String()
		case parentSignature:
			place = at
		}
		return ""
	})
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/signature/timestamp":
			return wire.Quote(timestamp)
		case place:
			return wire.Quote(value(token))
		default:
			return ""
		}
	})
	return nil
}

// messageID is the Message-ID of the forms among the samples.
const messageID = "sample@mail.example.org"

// Freshen gives a sample another token, another id and message, and the time now where it has one beside that of the signature.
func Freshen(r *provider.Request, unique string) {
	token := hex.EncodeToString(signature.HMAC(sha256.New, []byte(unique), nil))[:50]
	if isForm(r.Body) {
		for _, at := range []string{messageID, url.QueryEscape(messageID)} {
			r.Body = bytes.ReplaceAll(r.Body, []byte(at), []byte(url.QueryEscape(unique)+strings.TrimPrefix(at, "sample")))
		}
		r.Body = setField(r.Body, "token", token)
		r.Body = setField(r.Body, "timestamp", strconv.FormatInt(r.ReceivedAt.Unix(), 10))
		return
	}
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/signature/token":
			return wire.Quote(token)
		case "/event-data/id", "/event-data/message/headers/message-id":
			return wire.Quote(unique)
		case "/event-data/timestamp":
			return strconv.FormatInt(r.ReceivedAt.Unix(), 10) + ".000002"
		default:
			return ""
		}
	})
}

func isForm(body []byte) bool { return !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// place finds the value of the last field of a name, which is plain, in either kind of form.
func place(body []byte, name string) (start, end int) {
	in := regexp.MustCompile(`(?:^|&)`+name+`=([^&\r\n]*)|name="`+name+`"\r\n\r\n([^\r\n]*)`).FindAllSubmatchIndex(body, -1)
	if len(in) == 0 {
		return 0, 0
	}
	last := in[len(in)-1]
	if last[2] >= 0 {
		return last[2], last[3]
	}
	return last[4], last[5]
}

func field(body []byte, name string) string {
	start, end := place(body, name)
	return string(body[start:end])
}

func setField(body []byte, name, value string) []byte {
	start, end := place(body, name)
	return bytes.Join([][]byte{body[:start], body[end:]}, []byte(value))
}
