package format

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

// bundleOf3 returns the value of a bundle of three events.
func bundleOf3(debts ...Debt) []byte {
	var w BundleWriter
	for n, payload := range []string{"one", "", "three"} {
		w.Add(&Event{AcceptedAt: 1_700_000_000_000 + uint64(n), OrderingKey: strings.Repeat("k", n), Payload: []byte(payload)}, false)
	}
	value := make([]byte, w.Prepare(debts))
	w.Fill(value)
	return value
}

func letter() *journal.DeadLetter {
	return &journal.DeadLetter{
		ID: 7, Cause: journal.CauseRefused, Reason: "550 no", Endpoint: "mail/in", Route: "all", Sink: "mail/out", EventID: "e1", Unverified: true,
		Attempts: 3, At: time.UnixMilli(1_700_000_000_000).UTC(), Header: map[string]string{"B": "2", "A": "1"}, Payload: []byte("payload"),
	}
}

// TestTheFormatStays compares what is written with what stores hold already: with a difference, they could not be read any more.
func TestTheFormatStays(t *testing.T) {
	t.Parallel()
	record, err := EncodeDeadLetter(letter())
	if err != nil {
		t.Fatal(err)
	}
	owed := Owed{Events: 1<<63 | 5, Schedules: []Schedule{{Position: 63, When: When{2, 1_700_000_000_000}, Attempts: 300}}}
	hash := journal.KeyHash{0: 1, 15: 0xff}
	for name, test := range map[string]struct {
		got  []byte
		want string
	}{
		"key of a dedupe key":              {DedupeKey(0x01020304, hash), "64 01020304 010000000000000000000000000000ff"},
		"key of a generation":              {GenerationKey(2), "64 00000002"},
		"key of a bundle":                  {BundleKey(0x0102), "65 0000000000000102"},
		"key of what is owed":              {OwedKey(3, 4), "70 00000003 0000000000000004"},
		"key of what is scheduled":         {ScheduleKey(3, When{1, 2}, 4), "72 00000003 0000000000000001 0000000000000002 0000000000000004"},
		"key of a sink":                    {SinkKey("mail/out"), "73 6d61696c2f6f7574"},
		"key of a dead letter":             {NumberKey(TableDeadLetters, 5), "78 0000000000000005"},
		"key of a payload":                 {NumberKey(TablePayloads, 5), "79 0000000000000005"},
		"names":                            {[]byte(MetaFormat + MetaEpoch + MetaNext + MetaNextDead + MetaWindow + MetaAge), hex.EncodeToString([]byte("mformatmepochmnextmnextdeadmwindowmage"))},
		"version":                          {[]byte(Version), "34"},
		"numbers":                          {EncodeNumbers(0, 300), "00 ac02"},
		"a bundle of one sink":             {bundleOf3(Debt{9, 7}), "01 09 03 03 80d095ffbc31 00 03 81d095ffbc31 01 00 82d095ffbc31 02 05 6b6b6b 6f6e65 7468726565"},
		"a bundle of two sinks":            {bundleOf3(Debt{9, 5}, Debt{300, 2}), "02 09 ac02 8302 03 05 02 80d095ffbc31 00 03 81d095ffbc31 01 00 82d095ffbc31 02 05 6b6b6b 6f6e65 7468726565"},
		"what is owed":                     {owed.Encode(), "85808080808080808001 3f 02 80d095ffbc31 ac02"},
		"a dead letter":                    {record, hex.EncodeToString([]byte(`{"cause":"Refused","reason":"550 no","endpoint":"mail/in","route":"all","sink":"mail/out","eventId":"e1","unverified":true,"attempts":3,"at":1700000000000,"header":{"A":"1","B":"2"},"size":7}`))},
		"a bundle that is compressed ends": {encoded(slices.Repeat([]string{"alike"}, minPacked)...)[:3], "01 01 88"},
	} {
		if got, want := hex.EncodeToString(test.got), strings.ReplaceAll(test.want, " ", ""); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestWhatIsEncodedIsDecoded holds both directions against each other.
func TestWhatIsEncodedIsDecoded(t *testing.T) {
	t.Parallel()
	record, err := EncodeDeadLetter(letter())
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeDeadLetter(7, record)
	want := *letter()
	want.Payload = nil // it is stored apart
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if size, err := LetterPayloadSize(record); size != 7 || err != nil {
		t.Errorf("size %d, %v", size, err)
	}
	if size, err := LetterPayloadSize([]byte(`{"cause":"Refused","at":1}`)); size != 0 || err != nil {
		t.Errorf("size %d, %v of a record of an earlier release", size, err)
	}
	b, err := DecodeBundle(bundleOf3(Debt{9, 5}, Debt{300, 2}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uint32]EventSet{9: 5, 300: 2}, b.OwedAtFirst()); diff != "" {
		t.Error(diff)
	}
	if got := string(b.Payloads(6)); got != "three" || b.Events[1].OrderingKey != "k" || b.Events[2].OrderingKey != "kk" {
		t.Errorf("%q %+v", got, b.Events)
	}
	if others := b.Sinks.Without(9); !slices.Equal(others, []uint32{300}) {
		t.Errorf("other sinks %v", others)
	}
}

// TestABundleEnds fills bundles until they take no more.
func TestABundleEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ size, want int }{
		"by the number of events":            {1, MaxBundleEvents},
		"by their size":                      {MaxBundleBytes / 3, 3},
		"after the one event that is larger": {3 * MaxBundleBytes, 1},
	} {
		var w BundleWriter
		for range 2 { // the second time with the memory of the first
			e := &Event{Payload: make([]byte, test.size)}
			for w.Fits(e) {
				w.Add(e, false)
			}
			if w.Count() != test.want || w.Size() != test.want*test.size {
				t.Errorf("%s: %d events of %d bytes, want %d", name, w.Count(), w.Size(), test.want)
			}
			w.Reset()
		}
	}
}

// TestMalformedKeysAndValues reads keys and values that are too short, too long, or no numbers.
func TestMalformedKeysAndValues(t *testing.T) {
	t.Parallel()
	for _, key := range [][]byte{nil, {TableOwed}, make([]byte, 8), make([]byte, 30)} {
		_, _, dedupe := ParseDedupeKey(key)
		_, _, owed := ParseOwedKey(key)
		_, _, schedule := ParseScheduleKey(key)
		_, number := LastNumber(key)
		if dedupe || owed || schedule || number && len(key) < 9 {
			t.Errorf("%x is a key: %v, %v, %v, %v", key, dedupe, owed, schedule, number)
		}
	}
	endless := slices.Repeat([]byte{0xff}, 20)
	if _, _, err := DecodeSink(SinkKey("a"), endless); err == nil {
		t.Error("a sink whose id does not end")
	}
	if _, _, err := DecodeSink(SinkKey("a"), EncodeNumbers(1<<32)); err == nil {
		t.Error("a sink whose id is too large")
	}
	if err := DecodeNumbers(nil, make([]uint64, 1)); err == nil {
		t.Error("no number where there must be one")
	}
	numbers := []uint64{0, 7}
	if err := DecodeNumbers(EncodeNumbers(5), numbers); err != nil || !slices.Equal(numbers, []uint64{5, 7}) {
		t.Errorf("%v, %v of what an earlier release stored", numbers, err)
	}
	if _, err := DecodeOwed(append(EncodeNumbers(1), endless...)); err == nil {
		t.Error("a position that does not end")
	}
}
