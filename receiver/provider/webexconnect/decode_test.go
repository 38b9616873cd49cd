package webexconnect_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simulated "github.com/mailvane/mailvane/internal/simulate/webexconnect"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/webexconnect"
)

func received() time.Time { return time.Date(2024, time.June, 1, 12, 0, 0, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := webexconnect.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// receipt returns a receipt with the given members of deliveryInfo.
func receipt(info string) string {
	return `{"deliveryInfoNotification": {"deliveryInfo": {` + info + `}, "transid": "t-1", "correlationid": "c-1"}}`
}

// facts are the fields that the table looks at.
type facts struct {
	Type                         event.Type
	Bounce                       event.Bounce
	Reject                       event.RejectReason
	Feedback, URL, IP, UserAgent string
	SMTPCode                     int
	Enhanced, Diagnostic         string
}

func factsOf(e event.Event) facts {
	return facts{
		Type: e.Type, Bounce: e.Bounce, Reject: e.Reject.Reason, Feedback: e.Complaint.FeedbackType, URL: e.URL, IP: e.IP,
		UserAgent: e.UserAgent, SMTPCode: e.SMTPCode, Enhanced: e.EnhancedCode, Diagnostic: e.Diagnostic,
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		info string
		want facts
	}{
		"status decides over a code that says otherwise": {
			info: `"deliveryStatus": "Delivered", "code": "7501"`, want: facts{Type: event.Delivered},
		},
		"code decides where there is no status": {
			info: `"code": "7502"`, want: facts{Type: event.Opened},
		},
		"code as a number": {
			info: `"code": 7240, "deliveryStatus": "Failed"`, want: facts{Type: event.Rejected, Reject: event.SuppressedBounce},
		},
		"clicked: URL containing a pipe splits at the last one": {
			info: `"deliveryStatus": "Clicked", "Description": "https://example.com/?q=a|b|192.0.2.1", "additionalInfo": "Agent/1"`,
			want: facts{Type: event.Clicked, URL: "https://example.com/?q=a|b", IP: "192.0.2.1", UserAgent: "Agent/1"},
		},
		"clicked: what follows the pipe is no address": {
			info: `"deliveryStatus": "Clicked", "Description": "https://example.com/?q=a|b"`,
			want: facts{Type: event.Clicked, URL: "https://example.com/?q=a|b"},
		},
		"clicked: IPv6 address": {
			info: `"deliveryStatus": "Clicked", "Description": "https://example.com/|2001:db8::1"`,
			want: facts{Type: event.Clicked, URL: "https://example.com/", IP: "2001:db8::1"},
		},
		"clicked: no pipe": {
			info: `"deliveryStatus": "Clicked", "Description": "https://example.com/"`,
			want: facts{Type: event.Clicked, URL: "https://example.com/"},
		},
		"bounce: a list of all classes is undetermined": {
			info: `"deliveryStatus": "Bounce", "Description": "Permanent_General/Transient_General"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Undetermined}},
		},
		"bounce: suppressed is hard": {
			info: `"deliveryStatus": "Bounce", "Description": "Permanent_Suppressed"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard, Category: event.CategorySuppressed}},
		},
		"bounce: content of a transient one": {
			info: `"deliveryStatus": "Bounce", "Description": "Transient_ContentRejected"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryContent}},
		},
		"bounce: the word Undetermined": {
			info: `"deliveryStatus": "Bounce", "Description": "Undetermined"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Undetermined}},
		},
		"bounce: diagnostic is escaped twice": {
			info: `"deliveryStatus": "Bounce", "additionalInfo": "5.1.1|failed|smtp; 550-5.1.1 No\\n550 5.1.1 https:\\/\\/example.com"`,
			want: facts{
				Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, SMTPCode: 550, Enhanced: "5.1.1",
				Diagnostic: "smtp; 550-5.1.1 No\n550 5.1.1 https://example.com",
			},
		},
		"bounce: additional information of another form": {
			info: `"deliveryStatus": "Bounce", "additionalInfo": "no|status|here"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Undetermined}, Diagnostic: "no|status|here"},
		},
		"bounce: a code with a comment": {
			info: `"deliveryStatus": "Bounce", "additionalInfo": "5.1.2 (bad destination system)|failed|smtp; unknown"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, Enhanced: "5.1.2", Diagnostic: "smtp; unknown"},
		},
		"bounce: the platform's word decides over the code": {
			info: `"deliveryStatus": "Bounce", "Description": "Transient_General", "additionalInfo": "5.0.0|failed|smtp; 550 no"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryOther}, Enhanced: "5.0.0", SMTPCode: 550, Diagnostic: "smtp; 550 no"},
		},
		"bounce: soft by its code": {
			info: `"deliveryStatus": "Bounce", "Description": "Undetermined", "additionalInfo": "smtp; 452 4.2.2 full"`,
			want: facts{Type: event.Bounced, Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryMailboxFull}, Enhanced: "4.2.2", SMTPCode: 452, Diagnostic: "smtp; 452 4.2.2 full"},
		},
		"a status in another spelling": {info: `"deliveryStatus": "NOT_VERIFIED"`, want: facts{Type: event.Rejected, Reject: event.UnverifiedAddress}},
		"complaint: not-spam is no complaint": {
			info: `"deliveryStatus": "Complaint", "Description": "not-spam"`, want: facts{Type: event.Uncomplained, Feedback: "not-spam"},
		},
		"complaint: a list of all types names none": {
			info: `"deliveryStatus": "Complaint", "Description": "abuse/fraud"`, want: facts{Type: event.Complained},
		},
		"complaint: called Complained": {
			info: `"deliveryStatus": "Complained", "Description": "fraud"`, want: facts{Type: event.Complained, Feedback: "fraud"},
		},
		"one status for four causes: invalid": {
			info: `"deliveryStatus": "Failed", "code": "7524"`, want: facts{Type: event.Rejected, Reject: event.InvalidAddress},
		},
		"one status for four causes: unsubscribed": {
			info: `"deliveryStatus": "Failed", "code": "7241"`, want: facts{Type: event.Rejected, Reject: event.UnsubscribedAddress},
		},
		"one status for four causes: an unknown code": {
			info: `"deliveryStatus": "Failed", "code": "9999"`, want: facts{Type: event.Failed},
		},
		"a status with a blank": {
			info: `"deliveryStatus": "Not Verified"`, want: facts{Type: event.Rejected, Reject: event.UnverifiedAddress},
		},
		"a status that is not documented": {
			info: `"deliveryStatus": "Vanished"`, want: facts{Type: event.Unknown},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, factsOf(decodeOne(t, receipt(c.info)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestEveryCodeOfTheTable(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"7501": event.Sent, "7500": event.Delivered, "7502": event.Opened, "7528": event.Clicked, "7520": event.Bounced,
		"7521": event.Complained, "7522": event.Rejected, "7523": event.Rejected, "7524": event.Rejected, "7535": event.Failed,
		"7536": event.Failed, "7240": event.Rejected, "7241": event.Rejected, "7553": event.Failed, "7554": event.Failed,
		"9002": event.Rejected, "1234": event.Unknown,
	}
	for code, wantType := range want {
		if e := decodeOne(t, receipt(`"code": "`+code+`"`)); e.Type != wantType {
			t.Errorf("code %s is %s, want %s", code, e.Type, wantType)
		}
	}
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		raw         string
		want        time.Time
		assumed     bool
		implausible bool
	}{
		"with an offset":         {raw: `"2023-02-07T03:51:03.311+05:30"`, want: time.Date(2023, 2, 6, 22, 21, 3, 311e6, time.UTC)},
		"with a negative offset": {raw: `"2023-04-14T22:13:17.290-04:00"`, want: time.Date(2023, 4, 15, 2, 13, 17, 290e6, time.UTC)},
		"with Z":                 {raw: `"2016-07-21T12:44:23.644Z"`, want: time.Date(2016, 7, 21, 12, 44, 23, 644e6, time.UTC)},
		"without a zone":         {raw: `"2016-07-21T12:44:23.644"`, want: time.Date(2016, 7, 21, 12, 44, 23, 644e6, time.UTC), assumed: true},
		"before 2000":            {raw: `"1999-12-31T23:59:59Z"`, want: time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), implausible: true},
		"a day ahead":            {raw: `"2024-06-02T12:00:00Z"`, want: received().Add(24 * time.Hour)},
		"more than a day ahead":  {raw: `"2024-06-02T12:00:01Z"`, want: received().Add(24*time.Hour + time.Second), implausible: true},
		"unreadable":             {raw: `"yesterday"`, want: received(), implausible: true},
		"null":                   {raw: `null`, want: received(), implausible: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, receipt(`"deliveryStatus": "Read", "timeStamp": `+c.raw))
			if !e.Time.Equal(c.want) || e.TimeZoneAssumed != c.assumed || e.TimeImplausible != c.implausible {
				t.Errorf("got %v, assumed %v, implausible %v", e.Time, e.TimeZoneAssumed, e.TimeImplausible)
			}
			if want := strings.Trim(c.raw, `"`); want != "null" && e.TimeRaw != want {
				t.Errorf("timeRaw %q, want it verbatim", e.TimeRaw)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	t.Run("correlationid of receipts, correlationId of inbound events", func(t *testing.T) {
		t.Parallel()
		if e := decodeOne(t, receipt(`"code": "7501"`)); e.CorrelationID != "c-1" {
			t.Errorf("receipt: %q", e.CorrelationID)
		}
		if e := decodeOne(t, `{"event": "Unsubscribe", "correlationId": "c-2"}`); e.CorrelationID != "c-2" {
			t.Errorf("inbound: %q", e.CorrelationID)
		}
	})
	t.Run("destination that is no valid address is kept", func(t *testing.T) {
		t.Parallel()
		for _, destination := range []string{"destination@invalid", "[email protected]", strings.Repeat("x", 65) + "@example.com"} {
			if e := decodeOne(t, receipt(`"code": "7523", "destination": "`+destination+`"`)); e.Recipient != destination {
				t.Errorf("recipient %q, want %q", e.Recipient, destination)
			}
		}
	})
	t.Run("incoming: from in brackets and plain", func(t *testing.T) {
		t.Parallel()
		for _, from := range []string{"[a@example.com]", "a@example.com"} {
			if e := decodeOne(t, `{"event": "MO", "from": "`+from+`"}`); e.Sender != "a@example.com" {
				t.Errorf("%q: sender %q", from, e.Sender)
			}
		}
	})
	t.Run("incoming: to as a list, a text, and a list encoded as a text", func(t *testing.T) {
		t.Parallel()
		for _, to := range []string{`["a@example.com"]`, `"a@example.com"`, `"[\"a@example.com\"]"`} {
			if e := decodeOne(t, `{"event": "MO", "to": `+to+`}`); e.Recipient != "a@example.com" {
				t.Errorf("%s: recipient %q", to, e.Recipient)
			}
		}
	})
	t.Run("incoming: attachment that is not base64", func(t *testing.T) {
		t.Parallel()
		e := decodeOne(t, `{"event": "MO", "attachments": [{"content": "****REMOVED****"}, 5], "subject": "s"}`)
		if e.Subject != "s" {
			t.Errorf("subject %q", e.Subject)
		}
	})
	t.Run("optional fields of odd kinds", func(t *testing.T) {
		t.Parallel()
		e := decodeOne(t, receipt(`"deliveryStatus": "Bounce", "Description": {"a": [1]}, "timeStamp": 5, "destination": [], "additionalInfo": null`))
		if e.Type != event.Bounced || !e.TimeImplausible {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("event that is not documented flows with its raw form", func(t *testing.T) {
		t.Parallel()
		const body = `{"event": "Teleported", "tid": "1"}`
		e := decodeOne(t, "\n "+body+"\n")
		if e.Type != event.Unknown || e.ProviderEvent != "Teleported" || string(e.Raw) != body {
			t.Errorf("got %+v", e)
		}
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for destination, want := range map[string][]string{
		`"a@EXAMPLE.com"`: {"a@example.com"}, `["a@example.com"]`: {"a@example.com"}, `"<a@example.com>"`: {"a@example.com"},
		`"a@example.com,b@example.com"`: {"", "a@example.com", "b@example.com"}, `["a@example.com", "b@example.com"]`: {"", "a@example.com", "b@example.com"},
		`[]`: {""}, `""`: {""}, `["", null]`: {""},
	} {
		e := decodeOne(t, receipt(`"code": "7501", "destination": `+destination))
		if got := append([]string{e.Recipient}, e.Recipients...); !slices.Equal(got, want) {
			t.Errorf("destination %s: %q, want %q", destination, got, want)
		}
	}
	for to, want := range map[string][]string{
		`"a@example.com, b@example.com"`: {"", "a@example.com", "b@example.com"}, `["A <a@example.com>"]`: {"a@example.com", "a@example.com"},
		`"G: a@example.com, b@example.com;"`: {"", "a@example.com", "b@example.com"}, `"\"C; D\" <c@example.com>"`: {"c@example.com", "c@example.com"},
	} {
		e := decodeOne(t, `{"event": "MO", "to": `+to+`}`)
		if got := append([]string{e.Recipient}, e.Recipients...); !slices.Equal(got, want) {
			t.Errorf("to %s: %q, want %q", to, got, want)
		}
	}
}

// TestReceiptsOfAMessageShareAKey has the receipts of one message in one order at a sink that keeps it, and found by one id.
func TestReceiptsOfAMessageShareAKey(t *testing.T) {
	t.Parallel()
	for transid, want := range map[string]string{
		"abc": "abc", "abc_0": "abc", "abc_12": "abc", "abc_x": "abc_x", "_0": "_0", "abc0": "abc0", "abc_": "abc_", "": "",
	} {
		e := decodeOne(t, `{"deliveryInfoNotification": {"deliveryInfo": {"code": "7502"}, "transid": "`+transid+`"}}`)
		if e.ProviderMessageID != want || e.Key() != want {
			t.Errorf("%q: message %q, key %q, want %q", transid, e.ProviderMessageID, e.Key(), want)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	base := `"deliveryStatus": "Clicked", "code": "7528", "timeStamp": "2016-07-21T12:44:23.644Z", "destination": "A@example.com", "Description": "u1|192.0.2.1"`
	id := decodeOne(t, receipt(base)).ID
	if again := decodeOne(t, "  "+strings.ReplaceAll(receipt(base), " ", "\n")).ID; again != id {
		t.Error("white space changes the id")
	}
	if lower := decodeOne(t, receipt(strings.Replace(base, "A@", "a@", 1))).ID; lower != id {
		t.Error("the letter case of the destination changes the id")
	}
	for what, changed := range map[string]string{
		"link": strings.Replace(base, "u1", "u2", 1), "time": strings.Replace(base, "644Z", "645Z", 1),
		"recipient": strings.Replace(base, "A@", "b@", 1), "status": strings.Replace(base, "Clicked", "Read", 1),
	} {
		if decodeOne(t, receipt(changed)).ID == id {
			t.Errorf("another %s has the same id", what)
		}
	}
	for what, other := range map[string]string{
		"user agent": base + `, "additionalInfo": "x"`, "channel": base + `, "deliveryChannel": "x"`, "a new member": base + `, "new": {"a": 1}`,
		"destinations": strings.Replace(base, `"A@example.com"`, `["A@example.com"]`, 1),
	} {
		if decodeOne(t, receipt(other)).ID == id {
			t.Errorf("another %s has the same id", what)
		}
	}
	for _, pair := range [][2]string{
		{`"deliveryStatus": "Bounce", "Description": "Transient_General"`, `"deliveryStatus": "Bounce", "Description": "Permanent_NoEmail"`},
		{`"deliveryStatus": "Complaint", "Description": "abuse"`, `"deliveryStatus": "Complaint", "Description": "fraud"`},
		{`"deliveryStatus": "Read", "additionalInfo": "a"`, `"deliveryStatus": "Read", "additionalInfo": "b"`},
		{`"deliveryStatus": "Delivered", "destination": ["a@example.com"]`, `"deliveryStatus": "Delivered", "destination": ["b@example.com"]`},
	} {
		if decodeOne(t, receipt(pair[0])).ID == decodeOne(t, receipt(pair[1])).ID {
			t.Errorf("%s and %s share an id", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{`{"event": "Unsubscribe", "tid": "1", "ts": "2", "from": "a@example.com"}`, `{"event": "Unsubscribe", "tid": "1", "ts": "2", "from": "b@example.com"}`},
		{`{"event": "MO", "tid": "1", "ts": "2", "textMessage": "a"}`, `{"event": "MO", "tid": "1", "ts": "2", "textMessage": "b"}`},
	} {
		if decodeOne(t, pair[0]).ID == decodeOne(t, pair[1]).ID {
			t.Errorf("%s and %s share an id", pair[0], pair[1])
		}
	}
	// Without a transaction nothing tells two receipts apart but their bytes.
	if decodeOne(t, `{"event": "Subscribe", "from": "a@example.com"}`).ID == decodeOne(t, `{"event": "Subscribe", "from": "b@example.com"}`).ID {
		t.Error("two events without transaction share an id")
	}
}

func TestUndecodable(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, reason string }{
		"empty":              {body: "", reason: "expected a JSON object"},
		"an array":           {body: "[]", reason: "expected a JSON object"},
		"not JSON":           {body: "hello", reason: "expected a JSON object"},
		"no event":           {body: `{"a": 1}`, reason: "neither deliveryInfoNotification nor event is there"},
		"an empty receipt":   {body: `{"deliveryInfoNotification": {}}`, reason: "neither deliveryInfoNotification nor event is there"},
		"cut off":            {body: `{"event": "MO"`, reason: "invalid JSON: ends early, at byte 14"},
		"duplicate names":    {body: `{"event": "MO", "event": "Subscribe"}`, reason: `the member "event" occurs twice, with different values`},
		"UTF-16":             {body: "\xff\xfe{\x00}\x00", reason: "the body is UTF-16, and JSON must be UTF-8 (RFC 8259 section 8.1)"},
		"more after it":      {body: `{"event": "MO"} {}`, reason: "invalid JSON: syntax error at byte 16"},
		"nested too deeply":  {body: `{"a": ` + strings.Repeat("[", 20000), reason: "nested more than 10000 levels deep"},
		"a comma is missing": {body: `{"event": "MO" "ts": 1}`, reason: "invalid JSON: syntax error at byte 15 (expecting ',' or '}')"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.body)
			if len(b.Events) != 0 || len(b.Undecodable) != 1 {
				t.Fatalf("got %+v", b)
			}
			if u := b.Undecodable[0]; u.Reason != c.reason || string(u.Raw) != c.body {
				t.Errorf("reason %q, want %q", u.Reason, c.reason)
			}
		})
	}
}

const trackClick = `{"account":"example","date":"2022-03-24T08:27:24.572Z","event":"trackClick","data":{"messageId":"<a@example.com>","url":"https://google.com/"}}`

func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		sha1Hex   = "cf0a58fd4e4b2b2f7f2a5c9b2d8b5ac2" // of another length than any algorithm
		sha256Hex = "aa2122ae2c7736db106210e44ae4d44a8bd2d947f2f5e3eda898645bf464f69b"
		sha512Hex = "933ee0c2fc02ddd4c1ef6c053d2b1ad286cc27023fff0f0c918daf866e3988f7106e85102a9150f9641c15ec9d1554153994edba45b050bae3f381934ebece2b"
	)
	cases := map[string]struct {
		reason    string
		algorithm string
		header    string
		want      error
	}{
		"SHA-256":                   {reason: "the default", header: sha256Hex},
		"SHA-256 with prefix":       {reason: "the pages show both", header: "sha256=" + sha256Hex},
		"SHA-512":                   {reason: "configured", algorithm: "SHA512", header: sha512Hex},
		"SHA-512 with prefix":       {reason: "configured", algorithm: "SHA512", header: "sha512=" + sha512Hex},
		"upper case":                {reason: "hex has no case", header: strings.ToUpper(sha256Hex)},
		"another algorithm":         {reason: "the configuration decides, not the header", algorithm: "SHA512", header: sha256Hex, want: provider.Refuse(provider.ReasonMalformed)},
		"another algorithm's label": {reason: "the header is not believed", header: "sha512=" + sha256Hex, want: provider.Refuse(provider.ReasonMalformed)},
		"another length":            {reason: "malformed", header: sha1Hex, want: provider.Refuse(provider.ReasonMalformed)},
		"another digest":            {reason: "forged", header: strings.Repeat("0", 64), want: provider.Refuse(provider.ReasonMismatch)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := `{"hubSecrets": ["hubsecret"]}`
			if c.algorithm != "" {
				settings = fmt.Sprintf(`{"hubSecrets": ["hubsecret"], "signatureAlgorithm": %q}`, c.algorithm)
			}
			_, err := webhook(t, settings).Verify(t.Context(), &provider.Request{
				Header: http.Header{"X-Hub-Signature": {c.header}}, Body: []byte(trackClick), ReceivedAt: received(),
			})
			if fmt.Sprint(err) != fmt.Sprint(c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

func TestSignAndVerifyWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"SHA1", "SHA256", "SHA512"} {
		settings := `{"hubSecrets": ["hubsecret"], "signatureAlgorithm": "` + algorithm + `"}`
		r := &provider.Request{Body: []byte(trackClick), ReceivedAt: received()}
		if err := simulated.Sign([]byte(settings), nil, r); err != nil {
			t.Fatal(err)
		}
		if _, err := webhook(t, settings).Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

func TestWithoutSecretsNothingIsSignedOrChecked(t *testing.T) {
	t.Parallel()
	r := &provider.Request{Body: []byte(trackClick)}
	if err := simulated.Sign([]byte(`{}`), nil, r); err != nil || len(r.Header) != 0 {
		t.Errorf("Sign: %v, headers %v", err, r.Header)
	}
	if _, err := webhook(t, `{}`).Verify(t.Context(), r); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

// TestBouncesOfSeveralRecipients has what the document says of a message to several: a notification for each, with one transaction
// ID, and no destination.
func TestBouncesOfSeveralRecipients(t *testing.T) {
	t.Parallel()
	bounce := func(what string) event.Event {
		return decodeOne(t, receipt(`"code":"7520","deliveryStatus":"Bounce","destination":"","timeStamp":"2023-02-07T03:51:52.322+05:30",`+what))
	}
	one := bounce(`"Description":"Permanent_NoEmail","additionalInfo":"5.1.1|failed|smtp; 550-5.1.1 a@example.com does not exist"`)
	other := bounce(`"Description":"Permanent_NoEmail","additionalInfo":"5.1.1|failed|smtp; 550-5.1.1 b@example.com does not exist"`)
	if one.ID == other.ID {
		t.Errorf("two bounces share the id %s", one.ID)
	}
}
