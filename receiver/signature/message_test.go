package signature_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

func key(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = first + byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func public(k ed25519.PrivateKey) ed25519.PublicKey {
	p, _ := k.Public().(ed25519.PublicKey)
	return p
}

func bytesText(b []byte) string { return ":" + base64.StdEncoding.EncodeToString(b) + ":" }

func sha256Digest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return "sha-256=" + bytesText(sum[:])
}

func sha512Digest(body string) string {
	sum := sha512.Sum512([]byte(body))
	return "sha-512=" + bytesText(sum[:])
}

// signed returns the headers of a request whose signature has exactly the given parameters.
func signed(label, params, digest string) http.Header {
	h := http.Header{"Content-Digest": {digest}}
	base := "\"content-digest\": " + digest + "\n\"@signature-params\": " + params
	h.Set("Signature-Input", label+"="+params)
	h.Set("Signature", label+"="+bytesText(ed25519.Sign(key(0), []byte(base))))
	return h
}

// sentAs returns the headers of a request whose parameters were signed as params are written, and reach us in another form.
func sentAs(other string) http.Header {
	h := signed("sig_1", params, sha256Digest(body))
	h.Set("Signature-Input", "sig_1="+other)
	return h
}

const (
	body    = `[{"event":"test"}]`
	created = 1738868393
	params  = `("content-digest");created=1738868393;alg="ed25519";keyid="mckey"`
)

func verifier(tolerance time.Duration) signature.MessageVerifier {
	return signature.MessageVerifier{
		Tolerance: tolerance,
		Key: func(_ context.Context, id string, _ time.Time) (ed25519.PublicKey, error) {
			switch id {
			case "mckey":
				return public(key(0)), nil
			case "down":
				return nil, errDown
			default:
				return nil, signature.ErrUnknownKey
			}
		},
	}
}

var errDown = errors.New("the key server is down")

// TestMailChannelsVector is a request that was signed with Python's cryptography package.
func TestMailChannelsVector(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	h.Set("Content-Digest", "sha-256=:SYxc5mT59IYwtLaB9MHVNwKxiLX/98Pqppa0sDpuY8g=:")
	h.Set("Signature-Input", `sig_1738775282=("content-digest");created=1738868393;alg="ed25519";keyid="mckey"`)
	h.Set("Signature", "sig_1738775282=:v62KU3QosZAd1OjMNmGuAigrxkKM3VFhopCI2G316JOmeNi2YfuPYF59CCqpZ7w8WNQMVRiA2Sh0ChEoQX9zDg==:")
	const vector = `[{"email":"sender@example.com","customer_handle":"abc123","timestamp":1625097600,"event":"processed","request_id":"wBLWrCnK0Z965pf-cgxhNg8bo5s="}]`
	if _, err := verifier(time.Minute).Verify(t.Context(), h, []byte(vector), time.Unix(created, 0)); err != nil {
		t.Error(err)
	}
}

func TestMessageVerifier(t *testing.T) {
	t.Parallel()
	good := func() http.Header { return signed("sig_1", params, sha256Digest(body)) }
	with := func(p string) http.Header { return signed("sig_1", p, sha256Digest(body)) }
	edit := func(change func(http.Header)) http.Header {
		h := good()
		change(h)
		return h
	}
	cases := map[string]struct {
		reason string
		header http.Header
		want   error
	}{
		"good": {reason: "the documented form", header: good()},
		"parameters in another order and spacing": {
			reason: "parameters are signed as they were written",
			header: with(`("content-digest" );keyid="mckey";alg="ed25519"; created=1738868393`),
		},
		"an unknown parameter":  {reason: "parameters may be added", header: with(params + `;tag="a,b"`)},
		"no alg":                {reason: "alg is optional", header: with(`("content-digest");created=1738868393;keyid="mckey"`)},
		"sha-512":               {reason: "RFC 9530 has two algorithms", header: signed("s", params, sha512Digest(body))},
		"both digests":          {reason: "both are right", header: signed("s", params, sha256Digest(body)+", "+sha512Digest(body))},
		"one of two is wrong":   {reason: "each known digest must match", header: signed("s", params, sha256Digest(body)+", "+sha512Digest("x")), want: signature.ErrDigest},
		"an unknown digest too": {reason: "unknown algorithms are passed over", header: signed("s", params, "md5=:AAAA:, "+sha256Digest(body))},
		"unknown digest only":   {reason: "nothing covers the body", header: signed("s", params, "md5=:AAAA:"), want: signature.ErrMalformed},
		"digest of another body": {
			reason: "the signature is right, the body is not", header: signed("s", params, sha256Digest("x")), want: signature.ErrDigest,
		},
		"digest is no byte sequence": {reason: "malformed", header: signed("s", params, "sha-256=1"), want: signature.ErrMalformed},
		"no digest":                  {reason: "required", header: edit(func(h http.Header) { h.Del("Content-Digest") }), want: signature.ErrMissing},
		"no signature":               {reason: "required", header: edit(func(h http.Header) { h.Del("Signature") }), want: signature.ErrMissing},
		"no input":                   {reason: "required", header: edit(func(h http.Header) { h.Del("Signature-Input") }), want: signature.ErrMissing},
		"labels that do not meet": {
			reason: "a signature belongs to the input of its label",
			header: edit(func(h http.Header) { h.Set("Signature-Input", "other="+params) }), want: signature.ErrMalformed,
		},
		"a label twice": {
			reason: "parsers differ in which one counts",
			header: edit(func(h http.Header) { h.Add("Signature-Input", "sig_1="+params) }), want: signature.ErrMalformed,
		},
		"a second, foreign signature": {
			reason: "one valid signature is enough",
			header: edit(func(h http.Header) {
				h.Add("Signature-Input", "z="+params)
				h.Add("Signature", "z="+bytesText(make([]byte, ed25519.SignatureSize)))
			}),
		},
		"too many signatures": {
			reason: "work per request is bounded",
			header: edit(func(h http.Header) {
				for i := range 16 {
					h.Add("Signature-Input", "s"+strconv.Itoa(i)+"="+params)
				}
			}), want: signature.ErrMalformed,
		},
		"the last of sixteen signatures": {
			reason: "proxies add theirs",
			header: edit(func(h http.Header) {
				input, value := h.Get("Signature-Input"), h.Get("Signature")
				h.Del("Signature-Input")
				h.Del("Signature")
				for i := range 15 {
					h.Add("Signature-Input", fmt.Sprintf(`s%d=("content-digest");keyid="nobody%d"`, i, i))
					h.Add("Signature", fmt.Sprintf("s%d=%s", i, bytesText(make([]byte, ed25519.SignatureSize))))
				}
				h.Add("Signature-Input", input)
				h.Add("Signature", value)
			}),
		},
		"white space behind semicolons": {reason: "RFC 9651 section 3.1.2 allows it, RFC 9421 section 2.5 signs without", header: sentAs(`("content-digest"); created=1738868393;  alg="ed25519"; keyid="mckey"`)},
		"white space within the list":   {reason: "RFC 9651 section 3.1.1", header: sentAs(`( "content-digest"  );created=1738868393;alg="ed25519";keyid="mckey"`)},
		"white space around the member": {reason: "RFC 9651 section 3.2", header: edit(func(h http.Header) {
			h.Set("Signature-Input", " \t"+h.Get("Signature-Input")+" \t,\tz="+params)
			h.Set("Signature", "z=:AAAA: ,\t "+h.Get("Signature")+"\t")
		})},
		"white space within another list": {reason: "what is signed is another order", header: sentAs(`("content-digest");alg="ed25519"; created=1738868393;keyid="mckey"`), want: signature.ErrMismatch},
		"a parameter of the signature": {
			reason: "it means nothing", header: edit(func(h http.Header) { h.Set("Signature", h.Get("Signature")+`;p=1;q="a,b"`) }),
		},
		"text behind the signature": {
			reason: "malformed", header: edit(func(h http.Header) { h.Set("Signature", h.Get("Signature")+"x") }), want: signature.ErrMalformed,
		},
		"digest not covered":      {reason: "the body would be free", header: with(`();created=1738868393;alg="ed25519";keyid="mckey"`), want: signature.ErrMalformed},
		"a derived component":     {reason: "an ingress changes what it is derived from", header: with(`("content-digest" "@method");keyid="mckey"`), want: signature.ErrMalformed},
		"a component parameter":   {reason: "not supported", header: with(`("content-digest";sf);keyid="mckey"`), want: signature.ErrMalformed},
		"a component twice":       {reason: "RFC 9421 section 2.5", header: with(`("content-digest" "content-digest");keyid="mckey"`), want: signature.ErrMalformed},
		"a covered header absent": {reason: "RFC 9421 section 2.5", header: with(`("content-digest" "x-gone");keyid="mckey"`), want: signature.ErrMissing},
		"another algorithm":       {reason: "only Ed25519 keys are known", header: with(`("content-digest");alg="hmac-sha256";keyid="mckey"`), want: signature.ErrMalformed},
		"no keyid":                {reason: "no key to check with", header: with(`("content-digest");created=1738868393`), want: signature.ErrMalformed},
		"an endless keyid":        {reason: "ids are bounded", header: with(`("content-digest");keyid="` + strings.Repeat("k", 129) + `"`), want: signature.ErrMalformed},
		"an unknown key":          {reason: "refused", header: with(`("content-digest");keyid="nobody"`), want: signature.ErrUnknownKey},
		"a key server that fails": {reason: "undecided, not refused", header: with(`("content-digest");keyid="down"`), want: errDown},
		"expired":                 {reason: "the signer said so", header: with(`("content-digest");expires=1738868392;keyid="mckey"`), want: signature.ErrTime},
		"created is a string":     {reason: "malformed", header: with(`("content-digest");created="1";keyid="mckey"`), want: signature.ErrMalformed},
		"not a structured field":  {reason: "malformed", header: edit(func(h http.Header) { h.Set("Signature-Input", "sig_1=(") }), want: signature.ErrMalformed},
		"signature with stray bits": {
			reason: "one signature has one spelling",
			header: edit(func(h http.Header) { h.Set("Signature", strayBits(h.Get("Signature"))) }), want: signature.ErrMalformed,
		},
		"signature is no byte sequence": {reason: "malformed", header: edit(func(h http.Header) { h.Set("Signature", "sig_1=abc") }), want: signature.ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier(0).Verify(t.Context(), c.header, []byte(body), time.Unix(created, 0))
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

// strayBits sets an unused bit before the padding of a signature, which decodes to the same bytes.
func strayBits(s string) string {
	i := strings.Index(s, "==:")
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := strings.IndexByte(letters, s[i-1])
	return s[:i-1] + string(letters[at|1]) + s[i:]
}

func TestMessageTolerance(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		params string
		at     int64
		want   error
	}{
		"in time":       {reason: "inside the tolerance", params: params, at: created + 60},
		"stale":         {reason: "a replay", params: params, at: created + 61, want: signature.ErrTime},
		"future":        {reason: "clocks do not differ that much", params: params, at: created - 61, want: signature.ErrTime},
		"no time given": {reason: "a tolerance needs a time", params: `("content-digest");keyid="mckey"`, at: created, want: signature.ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := signed("s", c.params, sha256Digest(body))
			_, err := verifier(time.Minute).Verify(t.Context(), h, []byte(body), time.Unix(c.at, 0))
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}

func TestCoveredHeaderIsChecked(t *testing.T) {
	t.Parallel()
	const covered = `("content-digest" "content-type");keyid="mckey"`
	h := http.Header{"Content-Digest": {sha256Digest(body)}, "Content-Type": {"application/json"}}
	base := "\"content-digest\": " + sha256Digest(body) + "\n\"content-type\": application/json\n\"@signature-params\": " + covered
	h.Set("Signature-Input", "s="+covered)
	h.Set("Signature", "s="+bytesText(ed25519.Sign(key(0), []byte(base))))
	if _, err := verifier(0).Verify(t.Context(), h, []byte(body), time.Unix(created, 0)); err != nil {
		t.Errorf("a covered header: %v", err)
	}
	h.Set("Content-Type", "text/plain")
	if _, err := verifier(0).Verify(t.Context(), h, []byte(body), time.Unix(created, 0)); !errors.Is(err, signature.ErrMismatch) {
		t.Errorf("a changed header: got %v, want a mismatch", err)
	}
}

// TestManyCoveredComponents covers as many headers as there may be, and one more.
func TestManyCoveredComponents(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]error{64: nil, 65: signature.ErrMalformed} {
		h := http.Header{"Content-Digest": {sha256Digest(body)}}
		base, covered := `"content-digest": `+sha256Digest(body)+"\n", `("content-digest"`
		for i := range n - 1 {
			name := fmt.Sprintf("x-header-%d", i)
			h.Set(name, "v")
			covered += ` "` + name + `"`
			base += `"` + name + `": v` + "\n"
		}
		covered += `);keyid="mckey"`
		h.Set("Signature-Input", "s="+covered)
		h.Set("Signature", "s="+bytesText(ed25519.Sign(key(0), []byte(base+`"@signature-params": `+covered))))
		if _, err := verifier(0).Verify(t.Context(), h, []byte(body), time.Unix(created, 0)); !errors.Is(err, want) {
			t.Errorf("%d components: got %v, want %v", n, err, want)
		}
	}
}

func FuzzMessageVerifier(f *testing.F) {
	h := signed("sig_1", params, sha256Digest(body))
	f.Add(h.Get("Signature-Input"), h.Get("Signature"), h.Get("Content-Digest"))
	f.Add(`a=("content-digest");keyid="k", b=`, `a=:AA==:`, `sha-256=:AA==:`)
	f.Fuzz(func(t *testing.T, input, value, digest string) {
		forged := http.Header{"Signature-Input": {input}, "Signature": {value}, "Content-Digest": {digest}}
		_, err := verifier(0).Verify(t.Context(), forged, []byte("another body"), time.Unix(created, 0))
		if err == nil {
			t.Error("a body that was never signed passes")
		}
	})
}

// TestAnotherSignatureBesideAValidOne has signers of other kinds sign, too (RFC 9421 section 4.3).
func TestAnotherSignatureBesideAValidOne(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"of a proxy":           `("@authority" "@method");created=1738868393;keyid="proxy";alg="ed25519"`,
		"of another algorithm": `("content-digest");created=1738868393;keyid="new";alg="ecdsa-p256-sha256"`,
		"without a key":        `("content-digest");created=1738868393`,
		"without the digest":   `("date");created=1738868393;keyid="proxy"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := signed("sig_1", params, sha256Digest(body))
			h.Set("Signature-Input", h.Get("Signature-Input")+", other="+input)
			h.Set("Signature", h.Get("Signature")+", other=:AAAA:")
			if _, err := verifier(0).Verify(t.Context(), h, []byte(body), time.Unix(created, 0)); err != nil {
				t.Error(err)
			}
		})
	}
}
