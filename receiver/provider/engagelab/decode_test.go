package engagelab_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	simulated "github.com/mailvane/mailvane/internal/simulate/engagelab"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/engagelab"
)

func received() time.Time { return time.UnixMilli(1676615711325).UTC() }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := engagelab.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t, `{"appKeys": ["k"]}`).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

const (
	hmacHex = "0b15f70837eecf8dedececccd1528fac9e455f270ecb6a7784c3588b9ca66d54"
	md5Hex  = "0161790d05215b781d9076a4aece4402"
)

// TestVerify holds values that were computed with Python's hmac and hashlib modules.
func TestVerify(t *testing.T) {
	t.Parallel()
	mismatch, malformed := provider.Refuse(provider.ReasonMismatch), provider.Refuse(provider.ReasonMalformed)
	cases := map[string]struct {
		reason    string
		algorithm string
		timestamp string
		appKey    string
		value     string
		body      string
		want      error
	}{
		"HMAC, auto":              {reason: "64 digits", algorithm: "Auto", value: hmacHex},
		"MD5, auto":               {reason: "32 digits", algorithm: "Auto", value: md5Hex},
		"HMAC, pinned":            {reason: "pinned", algorithm: "HMACSHA256", value: hmacHex},
		"MD5, pinned":             {reason: "pinned", algorithm: "MD5", value: md5Hex},
		"MD5 where HMAC is asked": {reason: "pinning holds", algorithm: "HMACSHA256", value: md5Hex, want: malformed},
		"HMAC where MD5 is asked": {reason: "pinning holds", algorithm: "MD5", value: hmacHex, want: malformed},
		"another timestamp":       {reason: "the timestamp is what is signed", algorithm: "Auto", timestamp: "1676615711326", value: hmacHex, want: mismatch},
		"timestamp shifted into the key header": {
			reason: "MD5 runs both together", algorithm: "MD5", timestamp: "167661571132", appKey: "5email", value: md5Hex, want: malformed,
		},
		"typographic quotes around the key header": {
			reason: "an artefact of the documentation's page", algorithm: "Auto", appKey: "“email”", value: hmacHex, want: malformed,
		},
		"itime": {reason: "the body's time is signed", algorithm: "HMACSHA256ITime", timestamp: "1", value: hmacHex, body: `{"a": {"itime": 1}, "itime": 1676615711325}`},
		"itime of another event": {
			reason: "the header does not count", algorithm: "HMACSHA256ITime", value: hmacHex, body: `{"itime": 1676615711326}`, want: mismatch,
		},
		"no itime":         {reason: "nothing to check", algorithm: "HMACSHA256ITime", value: hmacHex, body: `{"a": 1}`, want: malformed},
		"itime, no JSON":   {reason: "nothing to check", algorithm: "HMACSHA256ITime", value: hmacHex, body: `[1`, want: malformed},
		"itime too far in": {reason: "the scan is bounded", algorithm: "HMACSHA256ITime", value: hmacHex, body: `{"a": "` + strings.Repeat("x", 70000) + `", "itime": 1676615711325}`, want: malformed},
		"itime, auto":      {reason: "this variant must be pinned", algorithm: "Auto", timestamp: "1", value: hmacHex, body: `{"itime": 1676615711325}`, want: mismatch},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("X-WebHook-Timestamp", orElse(c.timestamp, "1676615711325"))
			h.Set("X-WebHook-AppKey", orElse(c.appKey, "email"))
			h.Set("X-WebHook-Signature", c.value)
			w := webhook(t, fmt.Sprintf(`{"appKeys": ["appkey123"], "signatureAlgorithm": %q}`, c.algorithm))
			_, err := w.Verify(t.Context(), &provider.Request{Header: h, Body: []byte(c.body), ReceivedAt: received()})
			if fmt.Sprint(err) != fmt.Sprint(c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestToleranceTakesSecondsAndMilliseconds(t *testing.T) {
	t.Parallel()
	const settings = `{"appKeys": ["appkey123"], "signatureAlgorithm": "MD5", "toleranceSeconds": 60}`
	cases := map[string]struct {
		reason    string
		timestamp string
		signature string
		want      error
	}{
		"milliseconds":  {reason: "the unit of itime", timestamp: "1676615711325", signature: "0161790d05215b781d9076a4aece4402"},
		"seconds":       {reason: "the unit is not documented", timestamp: "1676615711", signature: "ac82e8ae84351cbf60fc38d3d0f789fa"},
		"stale seconds": {reason: "a minute and more", timestamp: "1676615650", signature: "f710d73bf28531f5bd4eb0e1ed76708f", want: provider.Refuse(provider.ReasonTime)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"X-Webhook-Timestamp": {c.timestamp}, "X-Webhook-Appkey": {"email"}, "X-Webhook-Signature": {c.signature}}
			_, err := webhook(t, settings).Verify(t.Context(), &provider.Request{Header: h, ReceivedAt: received()})
			if fmt.Sprint(err) != fmt.Sprint(c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

// TestSeenHeadersEnd has headers that somebody has seen, with a body of his own, a day later. Nobody has to set anything for that.
func TestSeenHeadersEnd(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]error{
		`{"appKeys": ["appkey123"]}`:                             provider.Refuse(provider.ReasonTime),
		`{"appKeys": ["appkey123"], "bodyIntegrity": "None"}`:    provider.Refuse(provider.ReasonTime),
		`{"appKeys": ["appkey123"], "toleranceSeconds": 172800}`: nil,
		`{"appKeys": ["appkey123"], "toleranceSeconds": 0}`:      nil,
	} {
		h := http.Header{"X-Webhook-Timestamp": {"1676615711325"}, "X-Webhook-Appkey": {"email"}, "X-Webhook-Signature": {"0161790d05215b781d9076a4aece4402"}}
		r := &provider.Request{Header: h, Body: []byte(`{"forged": true}`), ReceivedAt: received().Add(23 * time.Hour)}
		if _, err := webhook(t, settings).Verify(t.Context(), r); err != nil {
			t.Errorf("%s: within a day: %v", settings, err)
		}
		r.ReceivedAt = received().Add(25 * time.Hour)
		if _, err := webhook(t, settings).Verify(t.Context(), r); fmt.Sprint(err) != fmt.Sprint(want) {
			t.Errorf("%s: a day later: %v, want %v", settings, err, want)
		}
	}
}

func TestSignAndVerifyWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"Auto", "HMACSHA256", "HMACSHA256ITime", "MD5"} {
		settings := []byte(`{"appKeys": ["a", "b"], "toleranceSeconds": 5, "signatureAlgorithm": "` + algorithm + `"}`)
		r := &provider.Request{Body: []byte(`{"itime": 1676615711325}`), ReceivedAt: received()}
		if err := simulated.Sign(settings, nil, r); err != nil {
			t.Fatal(err)
		}
		if _, err := webhook(t, string(settings)).Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for what, settings := range map[string]string{
		"nothing": ``, "no keys": `{"appKeys": []}`, "an empty key": `{"appKeys": [""]}`,
		"a negative tolerance":           `{"appKeys": ["k"], "toleranceSeconds": -1}`,
		"an algorithm that is not known": `{"appKeys": ["k"], "signatureAlgorithm": "SHA1"}`,
	} {
		if _, err := engagelab.Kind().New([]byte(settings), provider.Environment{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func failure(status, subStat string) string {
	return `{"message_id": "m0$a@example.com", "itime": 1676615711325, "status": {"message_status": "` + status + `", ` + subStat + `}}`
}

func TestFailures(t *testing.T) {
	t.Parallel()
	detail := func(n int) string { return fmt.Sprintf(`"error_detail": {"sub_stat": %d}`, n) }
	hard := func(category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: event.Hard, Category: category}}
	}
	soft := func(category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: event.Soft, Category: category}}
	}
	rejected := func(reason event.RejectReason) event.Event {
		return event.Event{Type: event.Rejected, Reject: event.Reject{Reason: reason}}
	}
	cases := map[string]struct {
		body string
		want event.Event
	}{
		"blocked after a bounce":         {body: failure("invalid_email", detail(401)), want: rejected(event.SuppressedBounce)},
		"unsubscribed":                   {body: failure("invalid_email", detail(402)), want: rejected(event.UnsubscribedAddress)},
		"unreachable for good":           {body: failure("invalid_email", detail(403)), want: hard(event.CategoryConnection)},
		"malformed address":              {body: failure("invalid_email", detail(404)), want: rejected(event.InvalidAddress)},
		"reputation":                     {body: failure("invalid_email", detail(405)), want: soft(event.CategoryReputation)},
		"no such user":                   {body: failure("invalid_email", detail(406)), want: hard(event.CategoryUserUnknown)},
		"spam":                           {body: failure("invalid_email", detail(407)), want: soft(event.CategorySpam)},
		"policy":                         {body: failure("invalid_email", detail(408)), want: soft(event.CategoryPolicy)},
		"other":                          {body: failure("invalid_email", detail(409)), want: hard(event.CategoryOther)},
		"unreachable now":                {body: failure("soft_bounce", detail(503)), want: soft(event.CategoryConnection)},
		"soft, no such user":             {body: failure("soft_bounce", detail(506)), want: soft(event.CategoryUserUnknown)},
		"soft, other":                    {body: failure("soft_bounce", detail(509)), want: soft(event.CategoryOther)},
		"fields beside the status":       {body: failure("invalid_email", `"sub_stat": 401`), want: rejected(event.SuppressedBounce)},
		"subcategory as a text":          {body: failure("invalid_email", `"error_detail": {"sub_stat": "406"}`), want: hard(event.CategoryUserUnknown)},
		"error code only":                {body: failure("invalid_email", `"error_code": 402`), want: rejected(event.UnsubscribedAddress)},
		"no subcategory":                 {body: failure("invalid_email", `"x": 1`), want: hard(event.CategoryOther)},
		"error detail that is no object": {body: failure("soft_bounce", `"error_detail": "x"`), want: soft(event.CategoryOther)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, c.body)
			got := event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	check := func(name, body string, want func(event.Event) (got, want any)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wanted := want(decodeOne(t, body))
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	response := func(name, around, data string) string {
		return `{"itime": 1676615711325, ` + around + `, "response": {"event": "` + name + `", "response_data": {` + data + `}}}`
	}
	check("a list of recipients without email_id",
		response("open", `"message_id": "m", "to": "a@example.com, b@example.com"`, ``),
		func(e event.Event) (any, any) {
			return []any{e.Recipient, e.Recipients}, []any{"", []string{"a@example.com", "b@example.com"}}
		})
	check("route: a quoted separator",
		response("route", `"message_id": "m", "to": "A <a@example.com>; \"C; D\" <c@EXAMPLE.com>"`, ``),
		func(e event.Event) (any, any) { return e.Recipients, []string{"a@example.com", "c@example.com"} })
	check("route: a group, and commas",
		response("route", `"message_id": "m", "to": "Group: a@example.com, b@example.com;"`, ``),
		func(e event.Event) (any, any) { return e.Recipients, []string{"a@example.com", "b@example.com"} })
	check("route: a list",
		response("route", `"message_id": "m", "to": ["A <a@example.com>", "b@example.com"]`, ``),
		func(e event.Event) (any, any) { return e.Recipients, []string{"a@example.com", "b@example.com"} })
	check("an event in another spelling",
		response("Report-Spam", `"message_id": "m"`, ``),
		func(e event.Event) (any, any) {
			return []any{e.Type, e.ProviderEvent}, []any{event.Complained, "Report-Spam"}
		})
	check("a status in another spelling", failure("SOFT_BOUNCE", `"x": 1`),
		func(e event.Event) (any, any) { return e.Bounce.Type, event.Soft })
	check("a sender's name twice: the last one counts, as for most readers",
		`{"itime": 1, "custom_args": {"k": 1, "k": 2}, "response": {"event": "open"}}`,
		func(e event.Event) (any, any) { return e.Metadata, map[string]string{"k": "2"} })
	check("a text of another character set",
		failure("soft_bounce", "\"error_detail\": {\"message\": \"550 \xd3\xca\xcf\xe4\"}"),
		func(e event.Event) (any, any) {
			return []any{e.SMTPCode, e.Diagnostic}, []any{550, "550 \ufffd\ufffd\ufffd\ufffd"}
		})
	check("itime in seconds",
		`{"itime": 1676615711, "response": {"event": "open"}}`,
		func(e event.Event) (any, any) {
			return []any{e.Time, e.TimeImplausible}, []any{received().Truncate(time.Second), false}
		})
	check("spam report: address of email_id, not to",
		response("report_spam", `"message_id": "m0$x@example.com", "to": "x@example.com"`, `"email_id": "m0$y@example.com"`),
		func(e event.Event) (any, any) {
			return []string{e.Recipient, e.Details["to"]}, []string{"y@example.com", "x@example.com"}
		})
	check("recipient holding a dollar sign: the last one separates",
		response("open", `"message_id": "m12$a"`, `"email_id": "m$b0$a@example.com"`),
		func(e event.Event) (any, any) { return e.Recipient, "a@example.com" })
	check("index of several digits is cut off the message id",
		response("open", `"message_id": "1676460128030.sg-inbound86$a@example.com"`, ``),
		func(e event.Event) (any, any) { return e.ProviderMessageID, "1676460128030.sg-inbound" })
	check("without email_id the recipient is to",
		response("open", `"message_id": "m", "to": "a@example.com"`, `"email_id": ""`),
		func(e event.Event) (any, any) { return e.Recipient, "a@example.com" })
	check("task_id as text and label_id as number",
		response("open", `"message_id": "m"`, `"task_id": "-1", "label_id": 221223`),
		func(e event.Event) (any, any) {
			return e.Details, map[string]string{"task_id": "-1", "label_id": "221223"}
		})
	check("itime as a text",
		`{"itime": "1676615711325", "response": {"event": "open"}}`,
		func(e event.Event) (any, any) { return []any{e.Time, e.TimeImplausible}, []any{received(), false} })
	check("custom_args are metadata",
		`{"itime": 1, "custom_args": {"order": "o-1", "n": 5, "deep": {"a": [1]}, "none": null}, "response": {"event": "open"}}`,
		func(e event.Event) (any, any) {
			return e.Metadata, map[string]string{"order": "o-1", "n": "5", "deep": `{"a": [1]}`}
		})
	check("custom_args that are no object",
		`{"itime": 1, "custom_args": "x", "response": {"event": "open"}}`,
		func(e event.Event) (any, any) { return e.Type, event.Opened })
	check("route: headers as a text",
		response("route", `"message_id": "m", "to": "N <a@example.com>"`, `"headers": "From: x", "from": "N <b@example.com>"`),
		func(e event.Event) (any, any) {
			return []any{e.Recipient, e.Recipients, e.Sender}, []any{"a@example.com", []string{"a@example.com"}, "b@example.com"}
		})
	check("event that is not documented",
		response("teleport", `"message_id": "m"`, ``),
		func(e event.Event) (any, any) {
			return []any{e.Type, e.ProviderEvent}, []any{event.Unknown, "teleport"}
		})
	check("status that is not documented",
		`{"status": {"message_status": "vanished"}}`,
		func(e event.Event) (any, any) {
			return []any{e.Type, e.ProviderEvent}, []any{event.Unknown, "vanished"}
		})
}

func TestTargetFansOut(t *testing.T) {
	t.Parallel()
	target := func(data string) string {
		return `{"message_id": "m", "itime": 1, "status": {"message_status": "target", "status_data": {` + data + `}}}`
	}
	cases := map[string]struct {
		data string
		want []string
	}{
		"tos and email_ids":         {data: `"tos": ["a@example.com", "b@example.com"], "email_ids": ["m0$a@example.com", "m1$b@example.com"]`, want: []string{"a@example.com", "b@example.com"}},
		"tos only":                  {data: `"tos": ["a@example.com", "b@example.com"]`, want: []string{"a@example.com", "b@example.com"}},
		"email_ids only":            {data: `"email_ids": ["m0$a@example.com"]`, want: []string{"a@example.com"}},
		"fewer email_ids than tos":  {data: `"tos": ["a@example.com", "b@example.com"], "email_ids": ["m0$a@example.com"]`, want: []string{"a@example.com", "b@example.com"}},
		"nobody":                    {data: ``, want: []string{""}},
		"the same recipient twice":  {data: `"tos": ["a@example.com", "a@example.com"]`, want: []string{"a@example.com", "a@example.com"}},
		"tos as a text":             {data: `"tos": "a@example.com"`, want: []string{"a@example.com"}},
		"tos in a text":             {data: `"tos": "[\"a@example.com\", \"b@example.com\"]", "email_ids": ["m0$a@example.com", "m1$b@example.com"]`, want: []string{"a@example.com", "b@example.com"}},
		"a gap in tos":              {data: `"tos": ["a@example.com", null, "c@example.com"], "email_ids": ["m0$a@example.com", "m1$b@example.com", "m2$c@example.com"]`, want: []string{"a@example.com", "b@example.com", "c@example.com"}},
		"tos without the first":     {data: `"tos": ["", "b@example.com"], "email_ids": ["tg0$a@example.com", "tg1$b@example.com"]`, want: []string{"a@example.com", "b@example.com"}},
		"another order":             {data: `"tos": ["a@example.com", "b@EXAMPLE.com"], "email_ids": ["tg1$b@example.com", "tg0$a@example.com"]`, want: []string{"b@example.com", "a@example.com"}},
		"one id, and not the first": {data: `"tos": ["a@example.com", "b@example.com"], "email_ids": ["tg1$b@example.com"]`, want: []string{"b@example.com", "a@example.com"}},
		"one recipient, another id": {data: `"tos": ["", "b@example.com"], "email_ids": ["tg1$b@example.com"]`, want: []string{"b@example.com"}},
		"a gap in both":             {data: `"email_ids": ["m0$a@example.com", "", "m2$c@example.com"], "tos": ["a@example.com", {}, "c@example.com"]`, want: []string{"a@example.com", "c@example.com"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, target(c.data))
			var got []string
			seen := map[string]bool{}
			for _, e := range b.Events {
				got = append(got, e.Recipient)
				if e.Type != event.Accepted || seen[e.ID] {
					t.Errorf("type %s, id %s", e.Type, e.ID)
				}
				seen[e.ID] = true
				if again := decodeOne(t, string(e.Raw)); name != "the same recipient twice" && cmp.Diff(e, again) != "" {
					t.Errorf("raw, decoded alone: -want +got:\n%s", cmp.Diff(e, again))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	response := func(name string) string {
		return `{"message_id": "m0$a@example.com", "itime": 1676620370426, "response": {"event": "` + name + `", "response_data": {"email_id": "m0$a@example.com"}}}`
	}
	if decodeOne(t, response("open")).ID == decodeOne(t, response("click")).ID {
		t.Error("an open and a click of one millisecond share an id")
	}
	opened := func(rest string) string {
		return `{"message_id": "m", "itime": 1676620370426, ` + rest + `}`
	}
	for name, pair := range map[string][2]string{
		"to":          {opened(`"to": "a@example.com", "response": {"event": "open"}`), opened(`"to": "b@example.com", "response": {"event": "open"}`)},
		"ip":          {opened(`"response": {"event": "open", "response_data": {"ip": "192.0.2.1"}}`), opened(`"response": {"event": "open", "response_data": {"ip": "192.0.2.2"}}`)},
		"message":     {failure("soft_bounce", `"error_detail": {"message": "a"}`), failure("soft_bounce", `"error_detail": {"message": "b"}`)},
		"custom args": {opened(`"custom_args": {"a": 1}, "response": {"event": "open"}`), opened(`"custom_args": {"a": 2}, "response": {"event": "open"}`)},
		"no time":     {`{"message_id": "m", "response": {"event": "open", "response_data": {"explorer_name": "a"}}}`, `{"message_id": "m", "response": {"event": "open", "response_data": {"explorer_name": "b"}}}`},
		"bytes":       {failure("soft_bounce", "\"error_detail\": {\"message\": \"\xd3\"}"), failure("soft_bounce", "\"error_detail\": {\"message\": \"\xd4\"}")},
	} {
		if decodeOne(t, pair[0]).ID == decodeOne(t, pair[1]).ID {
			t.Errorf("two events that differ in %s share an id", name)
		}
	}
	if decodeOne(t, opened(`"response": {"event": "teleport"}`)).ID != decodeOne(t, `{"response":{"event":"teleport"},"itime":1.676620370426e12,"message_id":"m"}`).ID {
		t.Error("one event in other bytes has two ids")
	}
	if decodeOne(t, failure("invalid_email", `"sub_stat": 409`)).ID == decodeOne(t, failure("soft_bounce", `"sub_stat": 509`)).ID {
		t.Error("two kinds of bounce share an id")
	}
}

func TestArrays(t *testing.T) {
	t.Parallel()
	b := decode(t, `[{"response": {"event": "open"}, "message_id": "a"}, 5, {"x": 1}, {"response": {"event": "click"}, "message_id": "b"}]`)
	if len(b.Events) != 2 || len(b.Undecodable) != 2 {
		t.Fatalf("got %d events, undecodable %+v", len(b.Events), b.Undecodable)
	}
	if b.Undecodable[0].Reason != "expected a JSON object" || string(b.Undecodable[1].Raw) != `{"x": 1}` {
		t.Errorf("undecodable %+v", b.Undecodable)
	}
}

// TestATargetOfAnyNumberCostsAFewTimesItsSize guards memory and journal: each event has what the callback says of its recipient alone.
func TestATargetOfAnyNumberCostsAFewTimesItsSize(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 900, 1000, 20_000} {
		var tos, ids []string
		for i := range n {
			tos = append(tos, fmt.Sprintf("%q", fmt.Sprintf("r%d@example.com", i)))
			ids = append(ids, fmt.Sprintf("%q", fmt.Sprintf("m%d$r%d@example.com", i, i)))
		}
		body := `{"message_id": "m", "itime": 1, "status": {"message_status": "target", "status_data": {"tos": [` +
			strings.Join(tos, ",") + `], "subject": "hello", "email_ids": [` + strings.Join(ids, ",") + `]}}, "custom_args": {"a": "b"}}`
		b, bytes := decode(t, body), 0
		for i, e := range b.Events {
			bytes += len(e.Raw)
			if want := fmt.Sprintf("r%d@example.com", i); e.Recipient != want || e.Recipients != nil {
				t.Fatalf("event %d is about %q", i, e.Recipient)
			}
		}
		if len(b.Events) != n || bytes > 8*len(body) {
			t.Errorf("%d recipients are %d events with %d bytes of raw, from %d", n, len(b.Events), bytes, len(body))
		}
	}
}

// TestEventsOfAMessageShareAKey has the events of one message in one order at a sink that keeps it, and found by one id.
func TestEventsOfAMessageShareAKey(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"news", "news1", "sc-10_9"} {
		id := "1676615711309_1.sc-x-" + word
		keys := map[string]bool{}
		for _, data := range []string{`"tos": ["a@example.com"], "email_ids": ["` + id + `0$a@example.com"]`, `"tos": ["a@example.com"]`} {
			e := decodeOne(t, `{"message_id": "`+id+`", "status": {"message_status": "target", "status_data": {`+data+`}}}`)
			keys[e.Key()], keys[e.ProviderMessageID] = true, true
		}
		for _, around := range []string{`"message_id": "` + id + `0$a@example.com"`, `"message_id": "` + id + `"`} {
			e := decodeOne(t, `{`+around+`, "response": {"event": "open", "response_data": {"email_id": "`+id+`0$a@example.com"}}}`)
			keys[e.Key()], keys[e.ProviderMessageID] = true, true
		}
		if len(keys) != 1 {
			t.Errorf("%s: keys %v", word, keys)
		}
	}
}

// TestADollarInAnAddress has one in the local part (RFC 5321 section 4.1.2), and IDs without an address, which are kept whole: two
// that differ in their last digits alone are two messages.
func TestADollarInAnAddress(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][2]string{
		"1676537131885_95-test0$us$er@example.com": {"us$er@example.com", "1676537131885_95-test"},
		"1676537131885_95-test12$$er@example.com":  {"$er@example.com", "1676537131885_95-test"},
		"1676537131885_95-test2":                   {"", "1676537131885_95-test2"},
		"1676537131885":                            {"", "1676537131885"},
		"1676537131885_95-te$t":                    {"", "1676537131885_95-te$t"},
	} {
		e := decodeOne(t, `{"message_id": "`+id+`", "itime": 1676537132783, "status": {"message_status": "delivered", "status_data": {"email_id": "`+id+`"}}}`)
		if got := [2]string{e.Recipient, e.ProviderMessageID}; got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// TestWhatOneRequestBecomesIsBounded has more recipients than there may be, large copies for each of them, and many such items of
// which each stays below the bound by itself. What is beyond it is kept as it came, with the reason.
func TestWhatOneRequestBecomesIsBounded(t *testing.T) {
	t.Parallel()
	target := func(recipient string, n int, arg string) string {
		tos := strings.TrimSuffix(strings.Repeat(recipient+",", n), ",")
		return `{"message_id": "m", "itime": 1, "status": {"message_status": "target", "status_data": {"tos": [` + tos + `]}}, "custom_args": {"a": "` + arg + `"}}`
	}
	for name, c := range map[string]struct {
		body, want string
	}{
		"recipients":         {target(`"recipient@example.com"`, 50_001, ""), "more than 50000 recipients in one request"},
		"values":             {target(`"recipient@example.com"`, 200_001, ""), "more than 200000 values in one item"},
		"copies":             {target(`"recipient@example.com"`, 900, strings.Repeat("x", 50_000)), "one event for each of 900 recipients"},
		"copies of an array": {"[" + strings.TrimSuffix(strings.Repeat(target(`"a@b.c"`, 2400, strings.Repeat("x", 700))+",", 15), ",") + "]", "one event for each of 2400 recipients"},
		"members":            {`{"message_id": "m", "custom_args": {"a": 0` + manyMembers(250_000) + `}}`, "more than 200000 values in one item"},
	} {
		b, bytes, undecodable := decode(t, c.body), 0, 0
		for _, e := range b.Events {
			bytes += len(e.Raw)
		}
		for _, u := range b.Undecodable {
			undecodable += len(u.Raw)
			if !strings.Contains(u.Reason, c.want) {
				t.Errorf("%s: %s", name, u.Reason)
			}
		}
		if undecodable == 0 || undecodable > len(c.body) || bytes > 128*len(c.body) {
			t.Errorf("%s: %d bytes become %d bytes of events and %d of dead letters", name, len(c.body), bytes, undecodable)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d": 1`, i)
	}
	return b.String()
}
