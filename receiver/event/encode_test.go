package event

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// derived is what reflection makes of an event and its attributes.
func derived(e *Event, source string) ([]byte, error) {
	return json.Marshal(struct {
		Attributes
		Data *Event `json:"data"`
	}{Attributes{
		SpecVersion: specVersion, ID: e.ID, Source: source, Type: e.Type.CloudEvents(),
		Subject: attributeText(e.CloudEventsSubject()), Time: e.Time.UTC().Format(time.RFC3339Nano),
		DataContentType: dataContentType, DataSchema: DataSchema, Provider: strings.ToLower(e.Provider),
		ProviderEvent: attributeText(e.eventName()), PartitionKey: attributeText(e.Key()), TraceParent: e.TraceParent, Unverified: e.Unverified,
	}, e}, marshalOptions())
}

// filled returns an event of which every field is set, and all texts hold what must be escaped or replaced.
func filled(nasty string) *Event {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	return &Event{
		ID: "id" + nasty, Type: Bounced, Provider: "EmailEngine", ProviderEvent: "p" + nasty, Time: at, TimeRaw: nasty, TimeZoneAssumed: true, TimeImplausible: true, Late: true,
		Recipient: nasty, Recipients: []string{"a@example.com", nasty}, Sender: nasty, Subject: nasty, MessageID: nasty, ProviderMessageID: nasty,
		ProviderEventID: nasty, CorrelationID: nasty, Account: nasty, SMTPCode: 550, EnhancedCode: "5.1.1", Reason: nasty, Diagnostic: nasty,
		Bounce: Bounce{Type: Hard, Category: nasty}, Reject: Reject{Reason: PolicyViolation}, Complaint: Complaint{FeedbackType: nasty},
		URL: nasty, IP: "192.0.2.1", UserAgent: nasty, Client: Client{Name: nasty, OS: "os"},
		Mail: &Mail{Envelope: MailEnvelope{From: nasty}, From: []Mailbox{{Address: nasty, Name: nasty}}, Date: at, Text: nasty, Attachments: []Attachment{{Name: nasty, Size: 1}}}, Tags: []string{nasty, "t"},
		Metadata: map[string]string{"b": nasty, "a" + nasty: "1"}, Details: map[string]string{"d": nasty, "c" + nasty: "2"}, Truncated: true, Unverified: true,
		Raw: jsontext.Value("{ \"a\\\\\" : \"x \\\" y\\\\\" ,\r\n\t\"b\" : [ 1 , 2.50 , { } , \"\" ] }"),
	}
}

func TestEncodeIsWhatIsDerived(t *testing.T) {
	t.Parallel()
	cases := map[string]*Event{
		"empty":            {},
		"filled":           filled("x"),
		"escapes":          filled("\"\\/\b\f\n\r\t\x00\x1f\x7f<>&\u2028\u2029\U0001F4E7é"),
		"invalid UTF-8":    filled("a\xff\xc3(\xed\xa0\x80z"),
		"empty containers": {Recipients: []string{}, Tags: []string{}, Metadata: map[string]string{}, Details: map[string]string{}, Raw: jsontext.Value("[]")},
		"only second":      {Bounce: Bounce{Category: "c"}, Client: Client{OS: "os"}, Raw: jsontext.Value(` "text with  spaces" `)},
		"many escapes":     {Raw: jsontext.Value(`{"a":"\\` + strings.Repeat(`\n\"`, 1_000_000) + `\\", "b": "\""}`)},
		"traced":           {ID: "a", TraceParent: traceParent},
		"other zone":       {Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))},
	}
	// Each alone: what is special may not rest on what else is.
	for _, c := range []string{"\\", `"`, "\n", "\x1f", "\x7f", "\u0080", "\uFFFE", "é", "\xff"} {
		cases["text with "+strconv.Quote(c)] = filled("a" + c + "b")
	}
	for name, e := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e.Time = e.Time.UTC() // as it is in every event
			want, err := derived(e, "/mailvane/a/b")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Encode(e, "/mailvane/a/b")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-derived +written):\n%s", diff)
			}
		})
	}
}

// TestRawStringsOfEachLength holds the two forms against each other on strings with blanks, which stay, and something odd at each place.
func TestRawStringsOfEachLength(t *testing.T) {
	t.Parallel()
	for length := range 41 {
		text := strings.Repeat("~ [}a , ", 6)[:length]
		for at := range length + 1 {
			for _, odd := range []string{"", `\"`, `\\`, `\\\"`, `\u0022`, "é", "\u05dc", "\u5c22"} {
				e := &Event{Raw: jsontext.Value(`{ "a" : "` + text[:at] + odd + text[at:] + `" , "b" : "" }`)}
				want, err := derived(e, "/s")
				if err != nil {
					t.Fatal(err)
				}
				if got, err := Encode(e, "/s"); err != nil || string(got) != string(want) {
					t.Fatalf("%v\nderived %s\nwritten %s", err, want, got)
				}
			}
		}
	}
}

// TestAppendEncode appends to what is there, whether it has room or must move, and leaves it on an error.
func TestAppendEncode(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 1 << 20} {
		buffer := append(make([]byte, 0, room), "before"...)
		want := "before"
		for _, text := range []string{"first", "sec\"ond", "th\nird"} {
			one, err := Encode(filled(text), "/s")
			if err != nil {
				t.Fatal(err)
			}
			want += string(one)
			if buffer, err = AppendEncode(buffer, filled(text), "/s"); err != nil || string(buffer) != want {
				t.Fatalf("%v\ngot  %s\nwant %s", err, buffer, want)
			}
		}
		got, err := AppendEncode(buffer, &Event{Time: time.Date(10_000, 6, 1, 0, 0, 0, 0, time.UTC)}, "/s")
		if err == nil || string(got) != want {
			t.Errorf("%v, %d bytes, want an error and %d", err, len(got), len(want))
		}
	}
}

func TestEncodeRefusesATimeWithoutForm(t *testing.T) {
	t.Parallel()
	for _, year := range []int{-1, 10_000} {
		if _, err := Encode(&Event{Time: time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)}, "/s"); err == nil {
			t.Errorf("year %d is taken", year)
		}
	}
}

// FuzzEncode holds the two forms against each other on any text and any JSON.
func FuzzEncode(f *testing.F) {
	f.Add("a\"\\\n\xff", []byte(`{"a": [1, "b \" c"]}`))
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		e := filled(text)
		if e.Raw = jsontext.Value(raw); !e.Raw.IsValid() {
			return
		}
		want, err := derived(e, "/s")
		if err != nil {
			return // two names of the metadata or the details are the same once invalid UTF-8 is replaced
		}
		got, err := Encode(e, "/s")
		if err != nil || string(got) != string(want) {
			t.Fatalf("%v\nderived %s\nwritten %s", err, want, got)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e := filled("text of a common length")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(e, "/mailvane/a/b"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAttributeTextDropsWhatCloudEventsRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a b~": "a b~", "é😀": "é😀", "a\tb": "ab", "a\x7fb": "ab", "a\u0085b": "ab", "a\uFFFDb": "ab", "a\uFDD0b": "ab", "a\uFFFEb": "ab", "\U0001FFFF": "", "a\xffb": "ab",
	} {
		if got := attributeText(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// traceParent is the example of W3C Trace Context, section 3.2.2.
const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// TestTraceParentOf reads the attribute alone: what a provider sends may have the same name.
func TestTraceParentOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event Event
		want  string
	}{
		{Event{TraceParent: traceParent, Raw: jsontext.Value(`{"traceparent":"of the provider"}`)}, traceParent},
		{Event{Raw: jsontext.Value(`{"a":1,"traceparent":"of the provider"}`)}, ""},
		{Event{MessageID: `x","traceparent":"forged","data":`, TraceParent: traceParent}, traceParent},
		{Event{MessageID: `x","traceparent":"forged"`}, ""},
	} {
		encoded, err := Encode(&c.event, "/mailvane/a/b")
		if err != nil {
			t.Fatal(err)
		}
		if got := TraceParentOf(encoded); got != c.want {
			t.Errorf("%q of %s", got, encoded)
		}
	}
	if got := TraceParentOf([]byte("no event")); got != "" {
		t.Errorf("%q", got)
	}
}
