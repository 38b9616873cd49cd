package custom_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

const body = `{"event":"open"}`

func now() time.Time { return time.Unix(1767261601, 0) }

// verify says why a request with headers is refused; "" = it is not.
func verify(t *testing.T, settings string, h http.Header, body string) provider.Reason {
	t.Helper()
	r := &provider.Request{Base: "https://hooks.example.com", Path: "/hooks/mail/custom", Header: h, Body: []byte(body), ReceivedAt: now()}
	_, err := webhook(t, settings).Verify(t.Context(), r)
	refused, ok := errors.AsType[*provider.VerifyError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if ok {
		return refused.Reason
	}
	return ""
}

// headers makes headers of names and values.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// TestSchemesAndForms signs with the standard library, by every scheme in every encoding.
func TestSchemesAndForms(t *testing.T) {
	t.Parallel()
	encodings := map[string]map[string]func([]byte) string{
		"Hex":       {"small": hex.EncodeToString, "capital": func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }},
		"Base64":    {"padded": base64.StdEncoding.EncodeToString, "bare": base64.RawStdEncoding.EncodeToString},
		"Base64URL": {"padded": base64.URLEncoding.EncodeToString, "bare": base64.RawURLEncoding.EncodeToString},
	}
	for scheme, sign := range map[string]func(message string) (key string, signature []byte){
		"HMAC": func(message string) (string, []byte) {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(message))
			return secret, mac.Sum(nil)
		},
		"Ed25519": signer(t, "Ed25519"), "ECDSA": signer(t, "ECDSA"), "RSA": signer(t, "RSA"),
	} {
		for encoding, spellings := range encodings {
			for spelling, write := range spellings {
				key, value := sign("1767261600." + body)
				settings := with(`"scheme": "`+scheme+`", "header": "X-Sig", "encoding": "`+encoding+`", "prefix": "v=", "timestampHeader": "X-Time", "signed": ["timestamp", ".", "body"]`, key)
				what := scheme + " " + encoding + " " + spelling
				good := headers("X-Sig", "v="+write(value), "X-Time", "1767261600")
				if reason := verify(t, settings, good, body); reason != "" {
					t.Errorf("%s: %s", what, reason)
				}
				if reason := verify(t, settings, good, body+" "); reason != provider.ReasonMismatch {
					t.Errorf("%s, another body: %q", what, reason)
				}
				if reason := verify(t, settings, headers("X-Sig", write(value), "X-Time", "1767261600"), body); reason != provider.ReasonMalformed {
					t.Errorf("%s, without the prefix: %q", what, reason)
				}
				listed := with(`"scheme": "`+scheme+`", "header": "X-Sig", "encoding": "`+encoding+`", "signatureName": "v1", "timestampName": "t", "signed": ["timestamp", ".", "body"]`, key)
				if reason := verify(t, listed, headers("X-Sig", "t=1767261600, v1="+write(value)), body); reason != "" {
					t.Errorf("%s, in a list: %s", what, reason)
				}
			}
		}
	}
}

// signer signs with a new key of a scheme.
func signer(t *testing.T, scheme string) func(message string) (string, []byte) {
	t.Helper()
	key := newKey(t, scheme)
	return func(message string) (string, []byte) {
		digest := sha256.Sum256([]byte(message))
		signed, hash := digest[:], crypto.SHA256
		if scheme == "Ed25519" {
			signed, hash = []byte(message), 0
		}
		value, err := key.Sign(rand.Reader, signed, hash)
		if err != nil {
			t.Fatal(err)
		}
		return publicPEM(t, key.Public()), value
	}
}

// TestHeaders has what senders, proxies and attackers make of the headers of one request.
func TestHeaders(t *testing.T) {
	t.Parallel()
	const list = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex", "signatureName": "v1", "timestampName": "t", "signed": ["timestamp", ".", "body"]`
	const plain = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex"`
	const encoded = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Base64"`
	stamped, alone := hmacHex(secret, "1767261600."+body), hmacHex(secret, body)
	junk := strings.Repeat("0", 64)
	raw, _ := hex.DecodeString(alone)
	b64 := base64.StdEncoding.EncodeToString(raw)
	for name, c := range map[string]struct {
		settings string
		headers  http.Header
		want     provider.Reason
	}{
		"two keys sign, ours is the second":     {list, headers("X-Sig", "t=1767261600,v1="+junk+",v1="+stamped), ""},
		"junk between":                          {list, headers("X-Sig", "t=1767261600,,;v0=abc,x, v1=zz,=,v1="+stamped+",v1"), ""},
		"eight that are wrong before it":        {list, headers("X-Sig", "t=1767261600"+strings.Repeat(",v1="+junk, 8)+",v1="+stamped), provider.ReasonMismatch},
		"seven that are wrong before it":        {list, headers("X-Sig", "t=1767261600"+strings.Repeat(",v1="+junk, 7)+",v1="+stamped), ""},
		"none of its name":                      {list, headers("X-Sig", "t=1767261600,v0="+stamped), provider.ReasonMissing},
		"none that can be read":                 {list, headers("X-Sig", "t=1767261600,v1=zz"), provider.ReasonMalformed},
		"no time":                               {list, headers("X-Sig", "v1="+stamped), provider.ReasonMissing},
		"two times":                             {list, headers("X-Sig", "t=1767261600,t=1767261601,v1="+stamped), provider.ReasonMalformed},
		"the name in capitals":                  {list, headers("X-Sig", "t=1767261600,V1="+stamped), provider.ReasonMissing},
		"the time in other words":               {list, headers("X-Sig", "t=+1767261600,v1="+stamped), provider.ReasonMalformed},
		"no time in the time":                   {list, headers("X-Sig", "t=,v1="+stamped), provider.ReasonMalformed},
		"a list where one is expected":          {plain, headers("X-Sig", alone+","+alone), provider.ReasonMalformed},
		"one":                                   {plain, headers("X-Sig", alone), ""},
		"blanks around it":                      {plain, headers("X-Sig", " "+alone+"\t"), ""},
		"a blank within it":                     {plain, headers("X-Sig", alone[:8]+" "+alone[8:]), provider.ReasonMalformed},
		"capitals":                              {plain, headers("X-Sig", strings.ToUpper(alone)), ""},
		"0x before it":                          {plain, headers("X-Sig", "0x"+alone), provider.ReasonMalformed},
		"half of it":                            {plain, headers("X-Sig", alone[:32]), provider.ReasonMismatch},
		"twice":                                 {plain, headers("X-Sig", alone, "X-Sig", alone), provider.ReasonMalformed},
		"a wrong one and the right one":         {plain, headers("X-Sig", junk, "X-Sig", alone), provider.ReasonMalformed},
		"in another header":                     {plain, headers("X-Signature", alone), provider.ReasonMissing},
		"padded":                                {encoded, headers("X-Sig", b64), ""},
		"not padded":                            {encoded, headers("X-Sig", strings.TrimRight(b64, "=")), ""},
		"padded too much":                       {encoded, headers("X-Sig", b64+"="), provider.ReasonMalformed},
		"the alphabet of URLs":                  {encoded, headers("X-Sig", "-_"+b64[2:]), provider.ReasonMalformed},
		"unused bits that are set":              {encoded, headers("X-Sig", b64[:42]+string(b64[42]+1)+"="), provider.ReasonMalformed},
		"of great length":                       {encoded, headers("X-Sig", strings.Repeat("A", 4096)), provider.ReasonMalformed},
		"hex where base64 is expected":          {encoded, headers("X-Sig", alone), provider.ReasonMismatch},
		"the signature of a body with its time": {plain, headers("X-Sig", stamped), provider.ReasonMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verify(t, with(c.settings, secret), c.headers, body); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestClocks has the forms of timestamps, old, new and of the future. 300 seconds are the default.
func TestClocks(t *testing.T) {
	t.Parallel()
	for stamp, want := range map[string]provider.Reason{
		"1767261601": "", "1767261301": "", "1767261901": "", "1767261300": provider.ReasonTime, "1767261902": provider.ReasonTime,
		"1767261601000": "", "1767261300999": provider.ReasonTime, "2026-01-01T10:00:01Z": "", "2026-01-01T11:00:01.5+01:00": "",
		"2026-01-01T11:00:01Z": provider.ReasonTime, "01767261601": provider.ReasonMalformed, "0": provider.ReasonMalformed,
		"176726160": provider.ReasonMalformed, "-1767261601": provider.ReasonMalformed, "1767261601.5": provider.ReasonMalformed,
		"2026-01-01 10:00:01": provider.ReasonMalformed, "1.767261601e9": provider.ReasonMalformed,
	} {
		h := headers("X-Sig", hmacHex(secret, stamp+"|"+body), "X-Time", stamp)
		settings := `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex", "timestampHeader": "X-Time", "signed": ["timestamp", "|", "body"]`
		if got := verify(t, with(settings, secret), h, body); got != want {
			t.Errorf("%s: %q, want %q", stamp, got, want)
		}
		off := want
		if off == provider.ReasonTime {
			off = ""
		}
		if got := verify(t, with(settings+`, "toleranceSeconds": 0`, secret), h, body); got != off {
			t.Errorf("%s, without a tolerance: %q, want %q", stamp, got, off)
		}
	}
}

// TestMovedBytes has two requests of which the same bytes would be signed: all but what the sender sent are refused.
func TestMovedBytes(t *testing.T) {
	t.Parallel()
	const sig = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex", "signed": `
	const timed = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex", "timestampHeader": "X-Time", "signed": `
	for name, c := range map[string]struct {
		settings, signed, header, time, query, body string
		want                                        provider.Reason
	}{
		"a header before the body":                 {sig + `["header:X-Id", ".", "body"]`, "a.b.c", "a", "", "", "b.c", ""},
		"its text moved into the header":           {sig + `["header:X-Id", ".", "body"]`, "a.b.c", "a.b", "", "", "c", provider.ReasonMalformed},
		"a text that repeats itself":               {sig + `["header:X-Id", "..", "body"]`, "a...c", "a.", "", "", "c", provider.ReasonMalformed},
		"the same as it was sent":                  {sig + `["header:X-Id", "..", "body"]`, "a...c", "a", "", "", ".c", ""},
		"a header behind the body":                 {sig + `["body", ".", "header:X-Id"]`, "a.b.c", "c", "", "", "a.b", ""},
		"a text moved out of the body":             {sig + `["body", ".", "header:X-Id"]`, "a.b.c", "b.c", "", "", "a", provider.ReasonMalformed},
		"a time right before the body":             {timed + `["timestamp", "body"]`, "17672616011{}", "", "1767261601", "", "1{}", ""},
		"a digit moved into the time":              {timed + `["timestamp", "body"]`, "17672616011{}", "", "17672616011", "", "{}", provider.ReasonMalformed},
		"three digits, which would be another one": {timed + `["timestamp", "body"]`, "1767261601123{}", "", "1767261601123", "", "{}", provider.ReasonMalformed},
		"the URL right before the body":            {sig + `["url", "body"]`, "https://hooks.example.com/hooks/mail/custom?a=1", "", "", "", "?a=1", ""},
		"the body moved into the query":            {sig + `["url", "body"]`, "https://hooks.example.com/hooks/mail/custom?a=1", "", "", "a=1", "", provider.ReasonMalformed},
		"a slash that may be the path's":           {sig + `["url", "body"]`, "https://hooks.example.com/hooks/mail/custom/a=1", "", "", "", "/a=1", provider.ReasonMalformed},
		"a query and a text":                       {sig + `["url", "|", "body"]`, "https://hooks.example.com/hooks/mail/custom?a=1|x", "", "", "a=1", "x", ""},
		"a query that holds the text":              {sig + `["url", "|", "body"]`, "https://hooks.example.com/hooks/mail/custom?a=1|x|y", "", "", "a=1|x", "y", provider.ReasonMalformed},
		"the header of the time by its name":       {timed + `["header:x-time", ":", "body"]`, "1767261601:{}", "", "1767261601", "", "{}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &provider.Request{
				Base: "https://hooks.example.com", Path: "/hooks/mail/custom", Query: c.query, Body: []byte(c.body), ReceivedAt: now(),
				Header: headers("X-Sig", hmacHex(secret, c.signed), "X-Id", c.header, "X-Time", c.time),
			}
			_, err := webhook(t, with(c.settings, secret)).Verify(t.Context(), r)
			refused, _ := errors.AsType[*provider.VerifyError](err)
			if (err == nil) != (c.want == "") || refused != nil && refused.Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestHashesAndKeys has the other hashes, secrets that are encoded, and keys in every form.
func TestHashesAndKeys(t *testing.T) {
	t.Parallel()
	long := hmac.New(sha512.New, []byte(secret))
	long.Write([]byte(body))
	const sig = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex"`
	h := headers("X-Sig", hex.EncodeToString(long.Sum(nil)))
	if got := verify(t, with(sig+`, "hash": "SHA512"`, secret), h, body); got != "" {
		t.Errorf("SHA512: %s", got)
	}
	if got := verify(t, with(sig+`, "hash": "SHA384"`, secret), h, body); got != provider.ReasonMismatch {
		t.Errorf("another hash: %q", got)
	}
	h = headers("X-Sig", hmacHex(secret, body))
	for encoding, text := range map[string]string{
		"Hex": hex.EncodeToString([]byte(secret)), "Base64": base64.StdEncoding.EncodeToString([]byte(secret)), "Base64URL": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if got := verify(t, with(sig+`, "keyEncoding": "`+encoding+`"`, text), h, body); got != "" {
			t.Errorf("a secret in %s: %s", encoding, got)
		}
	}
	for scheme, forms := range map[string]func(crypto.PublicKey) [][]byte{
		"Ed25519": func(key crypto.PublicKey) [][]byte { return [][]byte{der(t, key), key.(ed25519.PublicKey)} }, //nolint:forcetypeassert // a test
		"ECDSA": func(key crypto.PublicKey) [][]byte {
			point, _ := key.(*ecdsa.PublicKey).Bytes() //nolint:forcetypeassert // a test
			return [][]byte{der(t, key), point}
		},
		"RSA": func(key crypto.PublicKey) [][]byte { return [][]byte{der(t, key)} },
	} {
		key := newKey(t, scheme)
		for i, form := range forms(key.Public()) {
			for _, text := range []string{base64.StdEncoding.EncodeToString(form), hex.EncodeToString(form) + "\n", publicPEM(t, key.Public())} {
				digest := sha256.Sum256([]byte(body))
				signed, hash := digest[:], crypto.SHA256
				if scheme == "Ed25519" {
					signed, hash = []byte(body), 0
				}
				value, err := key.Sign(rand.Reader, signed, hash)
				if err != nil {
					t.Fatal(err)
				}
				settings := with(`"scheme": "`+scheme+`", "header": "X-Sig", "encoding": "Hex"`, text)
				if got := verify(t, settings, headers("X-Sig", hex.EncodeToString(value)), body); got != "" {
					t.Errorf("%s, form %d: %s", scheme, i, got)
				}
			}
		}
	}
}

// TestECDSANumbers has a signature as JSON Web Signatures write it: the two numbers, each of the length of the curve.
func TestECDSANumbers(t *testing.T) {
	t.Parallel()
	public, value := signer(t, "ECDSA")(body)
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(value, &numbers); err != nil {
		t.Fatal(err)
	}
	flat := append(numbers.R.FillBytes(make([]byte, 32)), numbers.S.FillBytes(make([]byte, 32))...)
	settings := with(`"scheme": "ECDSA", "header": "X-Sig", "encoding": "Base64URL"`, public)
	if got := verify(t, settings, headers("X-Sig", base64.RawURLEncoding.EncodeToString(flat)), body); got != "" {
		t.Error(got)
	}
	flat[10] ^= 1
	if got := verify(t, settings, headers("X-Sig", base64.RawURLEncoding.EncodeToString(flat)), body); got != provider.ReasonMismatch {
		t.Errorf("another number: %q", got)
	}
	if got := verify(t, settings, headers("X-Sig", base64.RawURLEncoding.EncodeToString(make([]byte, 64))), body); got != provider.ReasonMismatch {
		t.Errorf("zeros: %q", got)
	}
}
