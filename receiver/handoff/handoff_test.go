package handoff

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/peer"
)

const testKey = "0123456789abcdef0123456789abcdef"

// wire is a parcel as releases write it since the first. A change of it strands events in an upgrade.
// previousWire is a parcel of the release before.
const previousWire = `{"origin":"pod-1","sink":"mail/crm","deliveries":[` +
	`{"Sequence":7,"OrderingKey":"m@example.com","AcceptedAt":"2026-01-02T03:04:05.678Z","Attempts":2,"Payload":"e30="}],"deadLetters":[` +
	`{"ID":9,"Cause":"Undecodable","Reason":"no event","Endpoint":"mail/ee","Route":"r","Sink":"mail/crm","EventID":"e","Unverified":true,"Attempts":1,` +
	`"At":"2026-01-02T03:04:05.678Z","Header":{"X-A":"b"},"DedupeKey":"","Payload":"/w=="}]}`

// wire is the same parcel today: each part behind its length. It is read by later releases, so it changes only with the media type.
const wire = "\x2f" + `{"parcel":{"origin":"pod-1","sink":"mail/crm"}}` + "\x00" +
	"\x6e" + `{"delivery":{"sequence":7,"orderingKey":"m@example.com","acceptedAt":"2026-01-02T03:04:05.678Z","attempts":2}}` + "\x02{}" +
	"\xd6\x01" + `{"deadLetter":{"id":9,"cause":"Undecodable","reason":"no event","endpoint":"mail/ee","route":"r","sink":"mail/crm",` +
	`"eventId":"e","unverified":true,"attempts":1,"at":"2026-01-02T03:04:05.678Z","header":{"X-A":"b"}}}` + "\x01\xff"

func theParcel() *parcel {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	return &parcel{
		Origin: "pod-1", Sink: "mail/crm",
		Deliveries: []journal.Delivery{{Sequence: 7, OrderingKey: "m@example.com", AcceptedAt: at, Attempts: 2, Payload: []byte("{}")}},
		DeadLetters: []journal.DeadLetter{{
			ID: 9, Cause: journal.CauseUndecodable, Reason: "no event", Endpoint: "mail/ee", Route: "r", Sink: "mail/crm", EventID: "e",
			Unverified: true, Attempts: 1, At: at, Header: map[string]string{"X-A": "b"}, Payload: []byte{0xff},
		}},
	}
}

func TestWireFormat(t *testing.T) {
	t.Parallel()
	text, err := theParcel().encode()
	if err != nil || string(text) != wire {
		t.Errorf("written: %q, %v", text, err)
	}
	for name, read := range map[string]func() (*parcel, error){
		"today's":               func() (*parcel, error) { return decode([]byte(wire)) },
		"of the release before": func() (*parcel, error) { return decodePrevious([]byte(previousWire)) },
	} {
		got, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(theParcel(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAParcelThatIsNotWholeIsRefused cuts and damages a parcel everywhere: what is read is never a part of it.
func TestAParcelThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	records := []int{1 + 0x2f + 1, len(wire) - 2 - 0xd6 - 2}
	for n := range len(wire) {
		if slices.Contains(records, n) {
			continue // it ends behind a record; the signature covers the rest
		}
		if p, err := decode([]byte(wire[:n])); err == nil {
			t.Errorf("%d bytes are read as a parcel of %d and %d", n, len(p.Deliveries), len(p.DeadLetters))
		}
	}
	for name, text := range map[string]string{
		"another kind of record first": wire[1+0x2f+1:],
		"a kind that is not known":     wire + "\x0d" + `{"replay":{}}` + "\x00",
		"a length beyond all bounds":   "\xff\xff\xff\xff\xff\xff\xff\xff\x7f{}",
		"a head that is no JSON":       "\x01{\x00",
	} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(wire))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode(body)
		if err != nil {
			return
		}
		again, err := p.encode()
		if err != nil {
			t.Fatal(err)
		}
		if q, err := decode(again); err != nil || len(q.Deliveries) != len(p.Deliveries) || len(q.DeadLetters) != len(p.DeadLetters) {
			t.Errorf("read again: %v", err)
		}
	})
}

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
		Guard: &peer.Guard{Key: testKeyOf, AllowUnaddressed: true}, Journal: j, Accepting: func() bool { return true },
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

func testKeyOf() ([]byte, error) { return []byte(testKey), nil }

// signed returns the headers of a parcel that is sent now.
func signed(key, body string, at time.Time) http.Header {
	r := httptest.NewRequest(http.MethodPost, Path, http.NoBody)
	peer.Sign(r, netip.MustParseAddrPort("127.0.0.1:9090"), []byte(key), []byte(body), at)
	r.Header.Set("Content-Type", mediaType)
	return r.Header
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
	previous := signed(testKey, previousWire, now)
	previous.Del("Content-Type")
	for name, tc := range map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"authentic":             {signed(testKey, wire, now), wire, http.StatusOK},
		"of the release before": {previous, previousWire, http.StatusOK},
		"unsigned":              {http.Header{}, wire, http.StatusUnauthorized},
		"another key":           {signed(strings.Repeat("x", 32), wire, now), wire, http.StatusUnauthorized},
		"another body":          {signed(testKey, wire, now), strings.Replace(wire, "crm", "crn", 1), http.StatusUnauthorized},
		"old":                   {signed(testKey, wire, now.Add(-6*time.Minute)), wire, http.StatusUnauthorized},
		"no parcel":             {signed(testKey, "[]", now), "[]", http.StatusBadRequest},
		"cut, and signed":       {signed(testKey, wire[:99], now), wire[:99], http.StatusBadRequest},
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
