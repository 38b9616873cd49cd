package standardwebhooks_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/standardwebhooks"
)

const (
	secret = "whsec_bWFpbHZhbmUtZGVtby1zZWNyZXQtMDAwMA=="
	other  = "whsec_YW5vdGhlciBzZWNyZXQsIGFsc28gb2YgMjQ="
	// factsVariable names a folder with samples and vectors of providers. It is not part of the repository.
	factsVariable = "MAILVANE_PROVIDER_FACTS"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:              standardwebhooks.Kind(),
		OtherSettings:     `{"signingSecrets": ["` + other + `"], "toleranceSeconds": 0}`,
		RotationSettings:  `{"signingSecrets": ["` + secret + `", "` + other + `"], "toleranceSeconds": 0}`,
		ToleranceSettings: `{"signingSecrets": ["` + secret + `"]}`, // the default
		SignatureHeaders:  []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		IDHeader:          "Webhook-Id",
		SignedAt: func(r *provider.Request) time.Time {
			seconds, _ := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64)
			return time.Unix(seconds, 0)
		},
		Credentials: []string{secret, other},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := standardwebhooks.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWithoutAMapping has bodies of senders of whom nothing is known.
func TestWithoutAMapping(t *testing.T) {
	t.Parallel()
	type fact struct {
		typ  event.Type
		name string
		time string
	}
	for name, c := range map[string]struct {
		body string
		want fact
	}{
		"by the specification":  {`{"type":"user.created","timestamp":"2026-02-22T23:41:12Z","data":{}}`, fact{event.Unknown, "user.created", "2026-02-22T23:41:12Z"}},
		"in Resend's form":      {`{"type":"email.opened","created_at":"2026-02-22T23:41:12Z","data":{}}`, fact{event.Opened, "email.opened", "2026-02-22T23:41:12Z"}},
		"another word for type": {`{"event":"email.clicked","timestamp":1771803672}`, fact{event.Clicked, "email.clicked", "1771803672"}},
		"and another":           {`{"eventName":"email.softBounced"}`, fact{event.Unknown, "email.softBounced", ""}},
		"no type at all":        {`{"hello":"world"}`, fact{event.Unknown, "", ""}},
	} {
		b := webhook(t, `{"signingSecrets": ["`+secret+`"]}`).Decode(&provider.Request{Body: []byte(c.body), ReceivedAt: time.Unix(1771976461, 0)})
		if len(b.Events) != 1 {
			t.Errorf("%s: %+v", name, b)
			continue
		}
		e := b.Events[0]
		if diff := cmp.Diff(c.want, fact{e.Type, e.ProviderEvent, e.TimeRaw}, cmp.AllowUnexported(fact{})); diff != "" || string(e.Raw) != c.body {
			t.Errorf("%s: raw %s, -want +got:\n%s", name, e.Raw, diff)
		}
	}
}

// TestMapping has a mapping in the settings, by which the id rests on the message and what it says, and headers are kept.
func TestMapping(t *testing.T) {
	t.Parallel()
	w := webhook(t, `{"signingSecrets": ["`+secret+`"], "mapping": {"items": "body.events", "type": "item.event", "types": {"hardBounce": "email.bounced"},
		"fields": {"recipient": "item.email", "bounce.type": "\"hard\"", "account": "headers[\"x-account\"]"}, "metadata": "item.custom"}}`)
	body := `{"events":[{"event":"hardBounce","email":"a@example.com","custom":{"order":1}},{"event":"hardBounce","email":"b@example.com"}]}`
	r := &provider.Request{Header: http.Header{"Webhook-Id": {"msg_1"}, "X-Account": {"acc"}}, Body: []byte(body), ReceivedAt: time.Unix(1771976461, 0)}
	b := w.Decode(r)
	if len(b.Events) != 2 || b.Events[0].ID == b.Events[1].ID {
		t.Fatalf("%+v", b)
	}
	want := event.Event{
		ID: b.Events[0].ID, Type: event.Bounced, Provider: "StandardWebhooks", ProviderEvent: "hardBounce", Time: time.Unix(1771976461, 0).UTC(), TimeImplausible: true, ProviderEventID: "msg_1",
		Recipient: "a@example.com", Account: "acc", Bounce: event.Bounce{Type: event.Hard}, Metadata: map[string]string{"order": "1"},
		Raw: []byte(`{"events":[{"event":"hardBounce","email":"a@example.com","custom":{"order":1}}]}`),
	}
	if diff := cmp.Diff(want, b.Events[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if reader, ok := w.(provider.HeaderReader); !ok || !cmp.Equal(reader.DecodeHeaders(), []string{"x-account"}) {
		t.Error("the header that the mapping reads is not kept")
	}
	if reader, ok := webhook(t, `{"signingSecrets": ["`+secret+`"]}`).(provider.HeaderReader); !ok || reader.DecodeHeaders() != nil {
		t.Error("without a mapping, headers are kept")
	}
	again := w.Decode(r)
	if diff := cmp.Diff(b, again); diff != "" {
		t.Errorf("a retry:\n%s", diff)
	}
	r.Header.Set("Webhook-Id", "msg_2")
	if w.Decode(r).Events[0].ID == b.Events[0].ID {
		t.Error("two messages are one event")
	}
}

// TestPublicKeys signs with a private key of which the endpoint has the public half, beside a secret that signs nothing.
func TestPublicKeys(t *testing.T) {
	t.Parallel()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	vendor, _ := simulate.Lookup(standardwebhooks.Type)
	settings := `{"publicKeys": ["whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="]}`
	r := &provider.Request{Body: []byte("{}"), ReceivedAt: time.Unix(1771976461, 0)}
	if err := vendor.Sign([]byte(settings), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), r); err != nil {
		t.Fatal(err)
	}
	if _, err := webhook(t, settings).Verify(t.Context(), r); err != nil {
		t.Errorf("signed by the sender: %v", err)
	}
	r.Body = []byte("{} ")
	if _, err := webhook(t, settings).Verify(t.Context(), r); err == nil {
		t.Error("another body passes")
	}
	if err := vendor.Sign([]byte(settings), nil, r); err == nil {
		t.Error("signed without a key")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for what, settings := range map[string]string{
		"nothing": `{}`, "no keys": `{"signingSecrets": [], "publicKeys": []}`, "a secret as a public key": `{"publicKeys": ["` + secret + `"]}`,
		"a negative tolerance":     `{"signingSecrets": ["` + secret + `"], "toleranceSeconds": -1}`,
		"a mapping without a type": `{"signingSecrets": ["` + secret + `"], "mapping": {}}`, "a mapping that does not compile": `{"signingSecrets": ["` + secret + `"], "mapping": {"type": "item."}}`,
	} {
		_, err := standardwebhooks.Kind().New([]byte(settings), provider.Environment{})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestVectors verifies requests that others have signed.
func TestVectors(t *testing.T) {
	t.Parallel()
	facts := os.Getenv(factsVariable)
	if facts == "" {
		t.Skipf("set %s to a folder of samples and vectors", factsVariable)
	}
	secrets, err := filepath.Glob(filepath.Join(facts, "vectors/standardwebhooks/*.secret.txt"))
	if err != nil || len(secrets) == 0 {
		t.Fatalf("%d vectors: %v", len(secrets), err)
	}
	for _, path := range secrets {
		name := strings.TrimSuffix(path, ".secret.txt")
		key := strings.TrimSpace(string(read(t, path)))
		settings := `{"signingSecrets": ["` + key + `"]}`
		if strings.HasPrefix(key, "whpk_") {
			settings = `{"publicKeys": ["` + key + `"]}`
		}
		r := &provider.Request{Header: http.Header{}, Body: read(t, name+".body.json")}
		for line := range strings.Lines(string(read(t, name+".headers.txt"))) {
			header, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Set(textproto.CanonicalMIMEHeaderKey(header), value)
			if strings.HasSuffix(header, "-timestamp") {
				seconds, _ := strconv.ParseInt(value, 10, 64)
				r.ReceivedAt = time.Unix(seconds, 0)
			}
		}
		w := webhook(t, settings)
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
		if b := w.Decode(r); len(b.Events) != 1 || !json.Valid(b.Events[0].Raw) {
			t.Errorf("%s: %+v", filepath.Base(name), b)
		}
		r.Body = append(bytes.Clone(r.Body), ' ')
		if _, err := w.Verify(t.Context(), r); err == nil {
			t.Errorf("%s: another body passes", filepath.Base(name))
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
