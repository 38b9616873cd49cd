package mailgun_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	simulated "github.com/mailvane/mailvane/internal/simulate/mailgun"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailgun"
)

const (
	keys     = `{"signingKeys": ["` + key + `"]}`
	formType = "application/x-www-form-urlencoded"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := mailgun.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func post(mediaType, body string) *provider.Request {
	return &provider.Request{Header: http.Header{"Content-Type": {mediaType}}, Body: []byte(body), ReceivedAt: received()}
}

// signed returns a request as Mailgun signs it with a key.
func signed(t *testing.T, secret, mediaType, body string) *provider.Request {
	t.Helper()
	r := post(mediaType, body)
	if err := simulated.Sign([]byte(`{"signingKeys": ["`+secret+`"]}`), nil, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		mismatch, malformed, missing, late = provider.ReasonMismatch, provider.ReasonMalformed, provider.ReasonMissing, provider.ReasonTime

		object  = `{"signature": {"timestamp": "0", "token": "50bytes", "signature": ""}, "event-data": {"event": "opened"}}`
		sub     = `{"signature": {"timestamp": "0", "token": "50bytes", "signature": "` + foreign + `", "parent-signature": ""}, "event-data": {"event": "opened"}}`
		fields  = "event=opened&timestamp=0&token=50bytes&signature="
		strict  = `{"signingKeys": ["` + key + `"], "toleranceSeconds": 60}`
		another = `{"signingKeys": ["a", "` + key + `"]}`
	)
	replace := func(was, is string) func(*provider.Request) {
		return func(r *provider.Request) { r.Body = []byte(strings.Replace(string(r.Body), was, is, 1)) }
	}
	for name, c := range map[string]struct {
		reason, mediaType, body, settings string
		change                            func(*provider.Request)
		want                              provider.Reason
	}{
		"JSON":                              {reason: "the present form", body: object},
		"a form":                            {reason: "the form of before 2018", mediaType: formType, body: fields},
		"the time as a number":              {reason: "the page's table says so", body: object, change: replace(`"1767323045"`, `1767323045`)},
		"hexadecimal in capitals":           {reason: "the same digest", body: object, change: func(r *provider.Request) { upper(r) }},
		"a body that was exchanged":         {reason: "no body is signed: a further factor is asked for", body: object, change: replace("opened", "complained")},
		"the second of two keys":            {reason: "during a rotation", body: object, settings: another},
		"the parent's signature":            {reason: "a subaccount's event, and the primary account's key", body: sub},
		"a parent's signature that is none": {reason: "it costs nothing where the other is right", body: strings.Replace(object, `"token"`, `"parent-signature": "x", "token"`, 1), change: func(r *provider.Request) { signAsAccount(r) }},
		"neither signature":                 {reason: "another account's", body: sub, settings: `{"signingKeys": ["a"]}`, want: mismatch},
		"no signature":                      {reason: "", body: object, change: replace(`"signature": "`, `"other": "`), want: missing},
		"the parent's alone":                {reason: "Mailgun sends both", body: sub, change: replace(`"signature": "`+foreign+`", `, ""), want: missing},
		"no token":                          {reason: "", body: object, change: replace(`"token"`, `"taken"`), want: missing},
		"a token that is a number":          {reason: "Mailgun sends a text", body: object, change: replace(`"50bytes"`, `50`), want: missing},
		"no time":                           {reason: "", body: object, change: replace(`"timestamp"`, `"time"`), want: missing},
		"a signature that is a list":        {reason: "", body: object, change: replace(`"signature": {`, `"signature": [], "x": {`), want: missing},
		"a token twice":                     {reason: "nobody knows which counts", body: object, change: replace(`"token"`, `"token": "other", "token"`), want: malformed},
		"no hexadecimal":                    {reason: "", body: object, change: replace(`"signature": "`, `"signature": "x`), want: malformed},
		"another time":                      {reason: "it is signed", body: object, change: replace(`"1767323045"`, `"1767323046"`), want: mismatch},
		"a sentence":                        {reason: "", body: object, change: func(r *provider.Request) { r.Body = []byte("hello") }, want: malformed},
		"a list":                            {reason: "there is one event in a request", body: object, change: func(r *provider.Request) { r.Body = []byte("[" + string(r.Body) + "]") }, want: malformed},
		"JSON that is cut off":              {reason: "", body: object, change: func(r *provider.Request) { r.Body = r.Body[:len(r.Body)-1] }, want: malformed},
		"what is kept of a form":            {reason: "nobody posts that", body: object, change: func(r *provider.Request) { r.Body = []byte(`{"mediaType":"` + formType + `","fields":[]}`) }, want: missing},
		"a time that is none":               {reason: "even where it does not count", body: object, change: soon, want: malformed},
		"a variable called token":           {reason: "the last one is Mailgun's", mediaType: formType, body: "token=mine&signature=mine&timestamp=1&" + fields},
		"a variable called token, behind":   {reason: "Mailgun's come last", mediaType: formType, body: fields, change: func(r *provider.Request) { r.Body = append(r.Body, "&token=mine"...) }, want: mismatch},
		"a form of parts without an end":    {reason: "", mediaType: "multipart/form-data; boundary=b", body: "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nx\r\n", want: malformed},
		"a minute later":                    {reason: "within the tolerance", body: object, settings: strict, change: func(r *provider.Request) { r.ReceivedAt = r.ReceivedAt.Add(time.Minute) }},
		"more than a minute later":          {reason: "out of it", body: object, settings: strict, change: func(r *provider.Request) { r.ReceivedAt = r.ReceivedAt.Add(61 * time.Second) }, want: late},
		"years later":                       {reason: "no tolerance is set", body: object, change: func(r *provider.Request) { r.ReceivedAt = r.ReceivedAt.AddDate(5, 0, 0) }},
	} {
		if c.settings == "" {
			c.settings = keys
		}
		r := signed(t, key, c.mediaType, c.body)
		if c.change != nil {
			c.change(r)
		}
		_, err := webhook(t, c.settings).Verify(t.Context(), r)
		var got provider.Reason
		if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
			got = refused.Reason
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q: %s", name, err, c.want, c.reason)
		}
	}
}

// foreign is a signature of a key that is not ours.
const foreign = "d03d2425d95b94beb76b39def2a9abb78fcbdd1119d109cd2605d5a2692937aa"

// upper writes the signature of a body in capitals.
func upper(r *provider.Request) {
	value := string(lastValue(r.Body, "signature"))
	r.Body = []byte(strings.Replace(string(r.Body), value, strings.ToUpper(value), 1))
}

// signAsAccount moves the signature from where a parent's stands to where the account's does.
func signAsAccount(r *provider.Request) {
	body := strings.Replace(string(r.Body), `"signature": ""`, `"signature": "`+string(lastValue(r.Body, "parent-signature"))+`"`, 1)
	r.Body = []byte(strings.Replace(body, `"parent-signature": "`, `"parent-signature": "x`, 1))
}

// soon signs a time that is none: the value was computed with Python's hmac module.
func soon(r *provider.Request) {
	const value = "07013dda2e06834d929cdab84242ad69e086802c3f6ac695ec3764ed49e287fa"
	body := strings.Replace(string(r.Body), `"1767323045"`, `"soon"`, 1)
	r.Body = []byte(strings.Replace(body, string(lastValue(r.Body, "signature")), value, 1))
}

// TestProof tells which key it was, and what it signed: with the one, whoever has seen it can send any body.
func TestProof(t *testing.T) {
	t.Parallel()
	const body = `{"signature": {"timestamp": "0", "token": "50bytes", "signature": ""}}`
	r := signed(t, key, "", body)
	proof, err := webhook(t, `{"signingKeys": ["a", "`+key+`"]}`).Verify(t.Context(), r)
	if err != nil || proof != (provider.Proof{Key: "1", Bearer: "176732304550bytes"}) {
		t.Errorf("%+v, %v", proof, err)
	}
	r.Body = []byte(strings.Replace(string(r.Body), `"1767323045", "token": "50`, `"176732304550", "token": "`, 1))
	shifted, err := webhook(t, keys).Verify(t.Context(), r)
	if err != nil || shifted.Bearer != proof.Bearer {
		t.Errorf("with digits moved from the token to the time: %+v, %v; it is the same signature", shifted, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, settings, want string }{
		"no key":              {"nothing could be verified", `{}`, "signingKeys: must hold at least one"},
		"an empty key":        {"everybody knows it", `{"signingKeys": [" "]}`, "signingKeys: a secret is empty"},
		"a tolerance below 0": {"", `{"signingKeys": ["a"], "toleranceSeconds": -1}`, "toleranceSeconds: must not be negative"},
	} {
		if _, err := mailgun.Kind().New([]byte(c.settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, c.want, c.reason)
		}
	}
}
