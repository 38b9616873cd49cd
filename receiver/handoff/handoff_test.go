package handoff

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

const testKey = "0123456789abcdef0123456789abcdef"

// wire is a parcel as releases write it since the first. A change of it strands events in an upgrade.
const wire = `{"origin":"pod-1","sink":"mail/crm","deliveries":[` +
	`{"Sequence":7,"OrderingKey":"m@example.com","AcceptedAt":"2026-01-02T03:04:05.678Z","Attempts":2,"Payload":"e30="}],"deadLetters":[` +
	`{"ID":9,"Cause":"Undecodable","Reason":"no event","Endpoint":"mail/ee","Route":"r","Sink":"mail/crm","EventID":"e","Unverified":true,"Attempts":1,` +
	`"At":"2026-01-02T03:04:05.678Z","Header":{"X-A":"b"},"DedupeKey":"","Payload":"/w=="}]}`

func TestWireFormat(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	want := parcel{
		Origin: "pod-1", Sink: "mail/crm",
		Deliveries: []journal.Delivery{{Sequence: 7, OrderingKey: "m@example.com", AcceptedAt: at, Attempts: 2, Payload: []byte("{}")}},
		DeadLetters: []journal.DeadLetter{{
			ID: 9, Cause: journal.CauseUndecodable, Reason: "no event", Endpoint: "mail/ee", Route: "r", Sink: "mail/crm", EventID: "e",
			Unverified: true, Attempts: 1, At: at, Header: map[string]string{"X-A": "b"}, Payload: []byte{0xff},
		}},
	}
	var got parcel
	if err := json.Unmarshal([]byte(wire), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	text, err := json.Marshal(&want)
	if err != nil || string(text) != wire {
		t.Errorf("written: %s, %v", text, err)
	}
}

// TestHeadersOfTheWire keeps what is signed as releases sign it since the first. The values were computed with openssl.
func TestHeadersOfTheWire(t *testing.T) {
	t.Parallel()
	parcel, answer := signed(testKey, wire, time.Unix(1_767_323_045, 0)), http.Header{}
	prove(answer, []byte(testKey), parcel.Get(headerSignature))
	for name, got := range map[string]string{
		"6807fc2ec9ad312bae5d905590dcfc236418d7c131526a747ef162899a4713f6": parcel.Get("Mailvane-Digest"),
		"a82a5a96974869ef6c5b3a49573801f7520ec9e14de94aaa14cd6ed869827b81": parcel.Get("Mailvane-Signature"),
		"081ec0393b268627c7ab4da5a01c062c696328a7db37c22676a82a172c72be6c": answer.Get("Mailvane-Stored"),
	} {
		if got != name {
			t.Errorf("got %s, want %s", got, name)
		}
	}
}

// takenOver is a handler over a journal in memory.
func takenOver(t *testing.T) (*Handler, *embedded.Journal) {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return NewHandler(HandlerOptions{
		Key: func() ([]byte, error) { return []byte(testKey), nil }, Journal: j, Accepting: func() bool { return true },
		DedupeKeys: func(payload []byte) []string { return []string{string(payload)} },
		Taken:      func(context.Context, string, int) {}, Logger: slog.New(slog.DiscardHandler),
	}), j
}

func postTo(h http.Handler, header http.Header, body string) int {
	request := httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body))
	request.Header = header
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder.Code
}

func signed(key, body string, at time.Time) http.Header {
	h := http.Header{}
	sign(h, []byte(key), []byte(body), at)
	return h
}

func TestAParcelIsStoredOnce(t *testing.T) {
	t.Parallel()
	h, j := takenOver(t)
	for range 2 {
		if code := postTo(h, signed(testKey, wire, time.Now()), wire); code != http.StatusOK {
			t.Fatalf("answer %d", code)
		}
	}
	if held := Held(j); held != 2 {
		t.Errorf("%d held, want an event and a dead letter", held)
	}
	receipt, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"{}"}, Sinks: []string{"mail/crm"}}}})
	if err != nil || receipt.Duplicates != 1 {
		t.Errorf("the provider's retry: %+v, %v", receipt, err)
	}
}

// TestAnEventThatIsHereAlreadyIsStillOwed takes an event of which this journal has a copy for another sink.
func TestAnEventThatIsHereAlreadyIsStillOwed(t *testing.T) {
	t.Parallel()
	h, j := takenOver(t)
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"{}"}, Sinks: []string{"mail/other"}, Payload: []byte("{}")}}}); err != nil {
		t.Fatal(err)
	}
	if code := postTo(h, signed(testKey, wire, time.Now()), wire); code != http.StatusOK {
		t.Fatalf("answer %d", code)
	}
	if pending := j.Stats().Pending; pending["mail/crm"] != 1 || pending["mail/other"] != 1 {
		t.Errorf("pending: %v", pending)
	}
}

func TestOnlyAuthenticParcelsAreTaken(t *testing.T) {
	t.Parallel()
	now := time.Now()
	otherTime := signed(testKey, wire, now)
	otherTime.Set(headerTime, strconv.FormatInt(now.Add(time.Second).Unix(), 10))
	for name, tc := range map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"authentic":       {signed(testKey, wire, now), wire, http.StatusOK},
		"unsigned":        {http.Header{}, wire, http.StatusUnauthorized},
		"another key":     {signed(strings.Repeat("x", 32), wire, now), wire, http.StatusUnauthorized},
		"another body":    {signed(testKey, wire, now), strings.Replace(wire, "crm", "crn", 1), http.StatusUnauthorized},
		"another time":    {otherTime, wire, http.StatusUnauthorized},
		"old":             {signed(testKey, wire, now.Add(-6*time.Minute)), wire, http.StatusUnauthorized},
		"from the future": {signed(testKey, wire, now.Add(6*time.Minute)), wire, http.StatusUnauthorized},
		"no parcel":       {signed(testKey, "[]", now), "[]", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, j := takenOver(t)
			if got := postTo(h, tc.header, tc.body); got != tc.want {
				t.Errorf("answer %d, want %d", got, tc.want)
			}
			if held := Held(j); (held > 0) != (tc.want == http.StatusOK) {
				t.Errorf("%d held", held)
			}
		})
	}
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	read := ReadKey(file)
	if _, err := read(); err == nil {
		t.Error("no error without a file")
	}
	for _, content := range []string{testKey + "\n", strings.Repeat("another ", 4) + "key"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := read(); err != nil || !bytes.Equal(key, bytes.TrimSpace([]byte(content))) {
			t.Errorf("got %q, %v", key, err)
		}
	}
	if err := os.WriteFile(file, []byte("guess me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(); err == nil {
		t.Error("a short key is taken")
	}
}
