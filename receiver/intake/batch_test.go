package intake_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/mailchannels"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

const (
	mailChannelsPath     = "/hooks/mail/mc"
	mailChannelsSettings = `{"customerHandles":["abc123"],"publicKeys":[{"id":"mckey","key":"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}]}`
)

func mailChannels() config.Endpoint {
	return config.Endpoint{
		Namespace: "mail", Name: "mc", Path: mailChannelsPath,
		Provider:     config.Plugin{Type: "MailChannels", Settings: []byte(mailChannelsSettings)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 10 << 20,
		Routes: []config.Route{{Name: "all", Sink: "crm"}},
	}
}

// signedBatch returns items signed as MailChannels signs, with the key whose seed is the bytes 0 to 31.
func signedBatch(t *testing.T, items ...string) *http.Request {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte("[" + strings.Join(items, ",") + "]")
	p := &provider.Request{Header: http.Header{}, Body: body, ReceivedAt: time.Now()}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := mailchannels.Sign([]byte(mailChannelsSettings), key, p); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, mailChannelsPath, bytes.NewReader(body))
	r.Header = p.Header
	return r
}

func item(handle string, i int) string {
	return fmt.Sprintf(`{"email":"sender@example.com","customer_handle":%q,"timestamp":1625097600,"event":"delivered","request_id":"r%d","recipients":["to%d@example.com"]}`, handle, i, i)
}

func TestOneBadItemDoesNotTakeTheOthersWithIt(t *testing.T) {
	t.Parallel()
	items := make([]string, 1000)
	for i := range items {
		items[i] = item("abc123", i)
	}
	items[7] = `{"customer_handle":"abc123","timestamp":1625097600,"event":{"not":"a name"}}`
	items[500] = `"just a string"`
	items[999] = `{"customer_handle":"abc123","timestamp":1625097600,"event":"open","event":"click"}`
	f := newFront(t, mailChannels())
	a := f.do(signedBatch(t, items...))
	if a.status != 200 || a.Accepted != 997 || a.DeadLettered != 3 || a.Refused != 0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if owed := f.owed("crm"); len(owed) != 997 {
		t.Errorf("%d events are owed", len(owed))
	}
	for _, d := range f.deadLetters() {
		if raw := string(d.Payload); raw != items[7] && raw != items[500] && raw != items[999] {
			t.Errorf("dead letter %s", raw)
		}
	}
}

func TestForeignItemsAreRefusedAndTheirNeighboursFlow(t *testing.T) {
	t.Parallel()
	f := newFront(t, mailChannels())
	a := f.do(signedBatch(t, item("abc123", 1), item("somebody-else", 2), item("abc123", 3)))
	if a.status != 200 || a.Accepted != 2 || a.Refused != 1 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, e := range f.owed("crm") {
		if e.Account != "abc123" {
			t.Errorf("an item of %s got in", e.Account)
		}
	}
	if n := len(f.deadLetters()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func TestABatchOfTenThousand(t *testing.T) {
	t.Parallel()
	items := make([]string, 10_000)
	for i := range items {
		items[i] = item("abc123", i)
	}
	f := newFront(t, mailChannels())
	if a := f.do(signedBatch(t, items...)); a.status != 200 || a.Accepted != len(items) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := f.do(signedBatch(t, items[5000:]...)); a.Duplicates != 5000 || a.Accepted != 0 {
		t.Fatalf("half of it again: %s", a.body)
	}
	if owed := f.owed("crm"); len(owed) != len(items) {
		t.Errorf("%d events are owed", len(owed))
	}
}

func TestProviderTestsAreNotForwardedUnasked(t *testing.T) {
	t.Parallel()
	asking := mailChannels()
	asking.Routes = append(asking.Routes, config.Route{Name: "tests", Sink: "tests", Filter: `event.type == "test"`})
	f := newFront(t, asking)
	f.do(sample(t, "MailChannels", "test", mailChannelsPath))
	if n := len(f.owed("crm")); n != 0 {
		t.Errorf("%d tests were forwarded unasked", n)
	}
	if owed := f.owed("tests"); len(owed) != 1 || owed[0].Type != event.Test {
		t.Errorf("asked for: %+v", owed)
	}
}
