// Package gmailpubsub makes the requests that Google Cloud Pub/Sub would send with the notifications of Gmail.
package gmailpubsub

import (
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/gmailpubsub/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are made for.
func Files() fs.FS { return files }

// Sign does nothing: nothing is signed, and tokens are Google's to make.
func Sign(data, _ []byte, _ *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("gmailpubsub: %w", err)
	}
	if len(s.Audiences) > 0 {
		return errors.New("gmailpubsub: only Google makes the tokens that audiences asks for; send to an endpoint without it")
	}
	return nil
}

const (
	idHeader   = "X-Goog-Pubsub-Message-Id"
	timeHeader = "X-Goog-Pubsub-Publish-Time"
	timeFormat = "2006-01-02T15:04:05.000Z"
)

// Freshen gives a sample another message and another point of the mailbox's history, and the time now where it has one.
func Freshen(r *provider.Request, unique string) {
	now := r.ReceivedAt.UTC().Format(timeFormat)
	if r.Header.Get(idHeader) != "" {
		r.Header.Set(idHeader, number(unique))
		r.Header.Set(timeHeader, now)
	}
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		switch at {
		case "/message/messageId", "/message/message_id":
			return wire.Quote(number(unique))
		case "/message/publishTime", "/message/publish_time":
			return wire.Quote(now)
		case "/message/data":
			data, _ := base64.StdEncoding.DecodeString(token.String()) // of our own samples
			return wire.Quote(base64.StdEncoding.EncodeToString(freshenData(data, unique)))
		case "/historyId":
			return number(unique)
		default:
			return ""
		}
	})
}

func freshenData(data []byte, unique string) []byte {
	return wire.Edit(data, func(at jsontext.Pointer, _ jsontext.Token) string {
		if at == "/historyId" {
			return number(unique)
		}
		return ""
	})
}

// number returns a number that stands for a text.
func number(unique string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(unique)) // never fails
	return strconv.FormatUint(sum.Sum64(), 10)
}
