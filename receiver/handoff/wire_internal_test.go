package handoff

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/receiver/journal"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// sent is a parcel that has everything that one may have.
func sent() *parcel {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return &parcel{
		Origin: "pod-1", Sink: "mail/crm",
		Deliveries: []journal.Delivery{
			{Sequence: 7, OrderingKey: "message-1", AcceptedAt: at, Attempts: 2, Payload: []byte(`{"a":1}`)},
			{Sequence: 8, AcceptedAt: at},
		},
		DeadLetters: []journal.DeadLetter{{
			ID: 9, Cause: journal.CauseUndecodable, Reason: "it is bad", Endpoint: "mail/a", Route: "all", Sink: "mail/crm", EventID: "e", Unverified: true,
			Attempts: 3, At: at, Header: map[string]string{"X-Id": "1"}, Payload: []byte{0, 0xff, '\n'},
		}},
	}
}

// TestParcelsOfThisRelease holds what is sent against the bytes of a parcel that was sent before: pods of two releases hand off to each
// other. What changes here needs another media type.
func TestParcelsOfThisRelease(t *testing.T) {
	t.Parallel()
	got, err := sent().encode()
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/parcel.v2.golden"
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("other bytes than before:\n%s", cmp.Diff(string(want), string(got)))
	}
	again, err := decode(want)
	if diff := cmp.Diff(sent(), again, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	// A parcel that breaks off between two records is one of fewer records: the message that carries it is signed, so that does not happen
	// on the way. Within a record it is none.
	for cut := range want {
		if half, err := decode(want[:cut]); err == nil && len(half.Deliveries)+len(half.DeadLetters) > 2 {
			t.Errorf("cut to %d bytes it has all records", cut)
		}
	}
	for _, unknown := range []string{"", "\x02{}\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if _, err := decode([]byte(unknown)); err == nil {
			t.Errorf("%q is a parcel", unknown)
		}
	}
	if _, err := decode(append(bytes.Clone(want), "\x0c{\"new\":true}\x00"...)); err == nil {
		t.Error("a record that a later release has brought is taken, and lost")
	}
}

// TestParcelsOfTheReleaseBefore reads a parcel as it was sent then.
func TestParcelsOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	got, err := decodePrevious([]byte(`{"origin":"pod-1","sink":"mail/crm",` +
		`"deliveries":[{"Sequence":7,"OrderingKey":"message-1","AcceptedAt":"2026-01-02T03:04:05.000000006Z","Attempts":2,"Payload":"eyJhIjoxfQ=="},{"Sequence":8,"OrderingKey":"","AcceptedAt":"2026-01-02T03:04:05.000000006Z","Attempts":0,"Payload":""}],` +
		`"deadLetters":[{"ID":9,"Cause":"Undecodable","Reason":"it is bad","Endpoint":"mail/a","Route":"all","Sink":"mail/crm","EventID":"e","Unverified":true,"Attempts":3,"At":"2026-01-02T03:04:05.000000006Z","Header":{"X-Id":"1"},"Payload":"AP8K"}]}`))
	if diff := cmp.Diff(sent(), got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
