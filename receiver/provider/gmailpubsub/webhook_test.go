package gmailpubsub_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/gmailpubsub"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Nameless:      true,
		Kind:          gmailpubsub.Kind(),
		OtherSettings: `{}`, RotationSettings: `{}`,
		Unsigned: true,
		Open:     open,
	}
}

// mark is the byte order mark of UTF-8.
const mark = "\ufeff"

// open returns what was published, where it is JSON.
func open(body []byte) (inner []byte, replace func([]byte) []byte) {
	wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		if at == "/message/data" {
			inner, _ = base64.StdEncoding.DecodeString(token.String())
		}
		return ""
	})
	if !bytes.HasPrefix(inner, []byte("{")) {
		return body, func(inner []byte) []byte { return inner }
	}
	return inner, func(inner []byte) []byte {
		// A byte order mark stands before the envelope: within, it would be a part of what raw keeps.
		data := bytes.TrimPrefix(inner, []byte(mark))
		marks := string(inner[:len(inner)-len(data)])
		return wire.Edit([]byte(marks+string(body)), func(at jsontext.Pointer, _ jsontext.Token) string {
			if at == "/message/data" {
				return wire.Quote(base64.StdEncoding.EncodeToString(data))
			}
			return ""
		})
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }
