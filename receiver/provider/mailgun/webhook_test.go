package mailgun_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailgun"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// The signing keys of the samples, and another.
const (
	key   = "example-http-webhook-signing-key"
	other = "other-http-webhook-signing-key"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:           map[string]string{"severity": "a failure for good"},
		Kind:              mailgun.Kind(),
		OtherSettings:     `{"signingKeys": ["` + other + `"]}`,
		RotationSettings:  `{"signingKeys": ["` + key + `", "` + other + `"]}`,
		ToleranceSettings: `{"signingKeys": ["` + key + `"], "toleranceSeconds": 300}`,
		SignedBytes:       signedBytes,
		SignedAt: func(r *provider.Request) time.Time {
			seconds, _ := strconv.ParseInt(string(lastValue(r.Body, "timestamp")), 10, 64)
			return time.Unix(seconds, 0)
		},
		Open:        open,
		Identifies:  func(at jsontext.Pointer) bool { return !strings.HasPrefix(string(at), "/signature/") },
		Credentials: []string{key, other},
	}
}

// lastValue returns the text that the signature of a body, or the last field of its form, has under a name.
func lastValue(body []byte, name string) []byte {
	in := regexp.MustCompile(`(?:^|&)`+name+`=([^&]*)|name="`+name+`"\r\n\r\n([^\r]*)|"`+name+`": ?"([^"]*)"`).FindAllSubmatch(body, -1)
	if len(in) == 0 {
		return nil
	}
	return bytes.Join(in[len(in)-1][1:], nil)
}

// signedBytes marks what the signature covers, and the signature: that of the parent where there is one.
func signedBytes(body []byte) []bool {
	signed := make([]bool, len(body))
	name := "signature"
	if bytes.Contains(body, []byte("parent-signature")) {
		name = "parent-signature"
	}
	for _, text := range [][]byte{lastValue(body, name), lastValue(body, "token"), lastValue(body, "timestamp")} {
		at := bytes.LastIndex(body, text)
		for i := range text {
			signed[at+i] = true
		}
	}
	return signed
}

// open returns the JSON of a body. A form has none.
func open(body []byte) (inner []byte, replace func([]byte) []byte) {
	if !bytes.HasPrefix(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("{")) {
		return nil, func([]byte) []byte { return body }
	}
	return body, func(inner []byte) []byte { return inner }
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "inbound") }
