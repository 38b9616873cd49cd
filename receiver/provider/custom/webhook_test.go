package custom_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/custom"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	secret = "example-custom-secret-0000"
	other  = "another-custom-secret-0001"
	header = "X-Example-Signature"
	mapped = `{"type": "item.event", "types": {"delivered": "email.delivered", "hard_bounce": "email.bounced", "soft_bounce": "email.deferred",
		"complaint": "email.complained", "opened": "email.opened"}, "id": ["item.id"], "time": "item.at", "fields": {"recipient": "item.email",
		"messageId": "item.message_id", "diagnostic": "item.reply", "bounce.type": "\"hard\"", "providerEventId": "item.id", "details.server": "item.server"},
		"metadata": "item.custom"}`
)

// with returns settings: a signature of a scheme, and the mapping of the samples. keys are texts.
func with(signature string, keys ...string) string {
	for i, key := range keys {
		keys[i] = strconv.Quote(key)
	}
	if len(keys) > 0 {
		signature += `, "keys": [` + strings.Join(keys, ", ") + `]`
	}
	return `{"signature": {` + signature + `}, "mapping": ` + mapped + `}`
}

// stampedAt reads the time that a signature names, wherever it is.
func stampedAt(r *provider.Request) time.Time {
	text, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get(header), "t="), ",")
	for _, name := range []string{"X-Example-Time", "Webhook-Timestamp"} {
		if other := r.Header.Get(name); other != "" {
			text = other
		}
	}
	seconds, _ := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0)
}

// suites are those of several schemes. The samples are signed for the first, and signed anew for the others.
func suites(t testing.TB) map[string]providertest.Suite {
	t.Helper()
	hmacBody := `"scheme": "HMAC", "header": "X-Example-Signature", "encoding": "Base64", "prefix": "sha256="`
	stamped := `"scheme": "HMAC", "header": "X-Example-Signature", "encoding": "Hex", "signatureName": "v1", "timestampName": "t", "signed": ["timestamp", ".", "body"]`
	withURL := `"scheme": "HMAC", "header": "X-Example-Signature", "encoding": "Base64URL", "hash": "SHA512", "timestampHeader": "X-Example-Time",
		"signed": ["text:v0:", "header:x-example-time", ":", "url", "body", "|", "header:X-Example-Id"]`
	standard := `"scheme": "StandardWebhooks"`
	public := func(scheme, more string) string {
		return `"scheme": "` + scheme + `", "header": "X-Example-Signature", "encoding": "Base64"` + more
	}
	lax := `, "toleranceSeconds": 0`
	all := map[string]providertest.Suite{
		"stamped": {
			OtherSettings: with(stamped+lax, other), RotationSettings: with(stamped+lax, secret, other), ToleranceSettings: with(stamped, secret),
			SignedAt: stampedAt, Credentials: []string{secret, other}, SignatureHeaders: []string{header}, URLUnsigned: true,
		},
		"HMAC of the body": {
			Settings: with(hmacBody, secret), OtherSettings: with(hmacBody, other), RotationSettings: with(hmacBody, secret, other),
			Credentials: []string{secret, other}, SignatureHeaders: []string{header}, URLUnsigned: true,
		},
		"the URL": {
			Settings: with(withURL+lax, secret), OtherSettings: with(withURL+lax, other), RotationSettings: with(withURL+lax, secret, other),
			ToleranceSettings: with(withURL, secret), SignedAt: stampedAt, Credentials: []string{secret, other},
			SignatureHeaders: []string{header, "X-Example-Time", "X-Example-Id"},
		},
		"Standard Webhooks": {
			Settings: with(standard+lax, whsec), OtherSettings: with(standard+lax, otherWhsec), RotationSettings: with(standard+lax, whsec, otherWhsec),
			ToleranceSettings: with(standard, whsec), SignedAt: stampedAt, Credentials: []string{whsec, otherWhsec},
			SignatureHeaders: []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}, URLUnsigned: true,
		},
		"nothing": {Settings: with(`"scheme": "None"`), OtherSettings: with(`"scheme": "None"`), RotationSettings: with(`"scheme": "None"`), Unsigned: true, URLUnsigned: true},
	}
	for _, scheme := range []string{"Ed25519", "ECDSA", "RSA"} {
		private, half := keyPair(t, scheme)
		otherPrivate, otherHalf := keyPair(t, scheme)
		all[scheme] = providertest.Suite{
			Settings: with(public(scheme, ""), half), OtherSettings: with(public(scheme, ""), otherHalf), RotationSettings: with(public(scheme, ""), half, otherHalf),
			SigningKey: private, OtherSigningKey: otherPrivate, SignatureHeaders: []string{header}, URLUnsigned: true,
		}
	}
	return all
}

func complete(s providertest.Suite) providertest.Suite {
	s.Kind = custom.Kind()
	s.Resign = s.Settings != ""
	s.Identifies = func(at jsontext.Pointer) bool {
		return at.LastToken() == "id" || at.LastToken() == "event"
	}
	return s
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	for name, s := range suites(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, complete(s))
		})
	}
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, complete(suites(f)["stamped"])) }

func BenchmarkWebhook(b *testing.B) {
	providertest.Benchmark(b, complete(suites(b)["stamped"]), "delivered")
}

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := custom.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestMessageID has two messages that say the same. By Standard Webhooks they are two, and by a header that anybody sets they are one.
func TestMessageID(t *testing.T) {
	t.Parallel()
	const bare = `"mapping": {"type": "item.event"}}`
	for name, c := range map[string]struct {
		settings string
		apart    bool
	}{
		"signed":     {`{"signature": {"scheme": "StandardWebhooks", "keys": ["` + whsec + `"]}, ` + bare, true},
		"not signed": {`{"signature": {"scheme": "None"}, ` + bare, false},
	} {
		w := webhook(t, c.settings)
		ids := map[string]bool{}
		for _, id := range []string{"msg_1", "msg_2"} {
			b := w.Decode(&provider.Request{Header: http.Header{"Webhook-Id": {id}}, Body: []byte(`{"event":"open"}`), ReceivedAt: time.Unix(1767261600, 0)})
			ids[b.Events[0].ID] = true
		}
		if (len(ids) == 2) != c.apart {
			t.Errorf("%s: %d ids", name, len(ids))
		}
	}
}

// TestOneBrokenItem has a batch whose second item cannot be read: its neighbours are events.
func TestOneBrokenItem(t *testing.T) {
	t.Parallel()
	w := webhook(t, `{"signature": {"scheme": "None"}, "mapping": {"items": "body.events", "type": "item.event", "types": {"open": "email.opened"}, "fields": {"smtpCode": "int(item.code)"}}}`)
	b := w.Decode(&provider.Request{Body: []byte(`{"events":[{"event":"open","code":"250"},{"event":"open","code":"n/a"},{"event":"open"}]}`)})
	if len(b.Events) != 2 || len(b.Undecodable) != 1 || !strings.HasPrefix(b.Undecodable[0].Reason, "fields.smtpCode: ") || b.Events[0].Type != event.Opened {
		t.Errorf("%+v", b)
	}
	if got := string(b.Undecodable[0].Raw); got != `{"events":[{"event":"open","code":"n/a"}]}` {
		t.Errorf("the dead letter is %s", got)
	}
}

// TestProofs names the key that signed, by its position.
func TestProofs(t *testing.T) {
	t.Parallel()
	w := webhook(t, with(`"scheme": "HMAC", "header": "X-Example-Signature", "encoding": "Hex"`, other, secret))
	r := &provider.Request{Header: http.Header{header: {hmacHex(secret, "{}")}}, Body: []byte("{}")}
	proof, err := w.Verify(t.Context(), r)
	if err != nil || proof.Key != "1" || proof.Bearer != "" {
		t.Errorf("%+v, %v", proof, err)
	}
	if text := fmt.Sprint(proof); strings.Contains(text, secret) {
		t.Error("the proof holds the secret")
	}
}
