package custom_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/custom"
)

// TestSettings has settings that cannot work or cannot be secure; what is said of each names the field, and what to change.
func TestSettings(t *testing.T) { //nolint:paralleltest // it sets a variable
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := keyPair(t, "Ed25519")
	const sig = `"scheme": "HMAC", "header": "X-Sig", "encoding": "Hex"`
	const timed = sig + `, "timestampHeader": "X-Time"`
	signed := func(parts string) string { return with(sig+`, "signed": [`+parts+`]`, secret) }
	public := func(scheme, key string) string {
		return with(`"scheme": "`+scheme+`", "header": "X-Sig", "encoding": "Hex"`, key)
	}
	for name, c := range map[string]struct{ settings, want string }{
		"no scheme":                      {with(`"header": "X-Sig"`, secret), "signature.scheme: must be HMAC"},
		"no header":                      {with(`"scheme": "HMAC", "encoding": "Hex"`, secret), "header: must be the name of a header"},
		"a header with a blank":          {with(`"scheme": "HMAC", "header": "X Sig", "encoding": "Hex"`, secret), "header: must be the name of a header"},
		"no encoding":                    {with(`"scheme": "HMAC", "header": "X-Sig"`, secret), "encoding: must be Hex, Base64 or Base64URL"},
		"no key":                         {with(sig), "keyRefs: must name at least one key"},
		"no mapping":                     {`{"signature": {` + sig + `, "keys": ["` + secret + `"]}}`, "mapping: type: must be set"},
		"nothing of the body":            {signed(`"header:X-Id", "."`), "signed: must hold body"},
		"the body twice":                 {signed(`"body", "body"`), "signed[1]: occurs twice"},
		"a word that is mistyped":        {signed(`"bodyy", "body"`), "signed[0]: must be body, timestamp"},
		"a header beside the body":       {signed(`"header:X-Id", "body"`), "between header:X-Id and what stands beside it"},
		"the body beside a header":       {signed(`"body", "header:X-Id"`), "between header:X-Id and what stands beside it"},
		"two headers side by side":       {signed(`"header:X-A", "header:X-B", ".", "body"`), "between header:X-A and what stands beside it"},
		"the signature itself":           {signed(`"header:x-sig", ".", "body"`), "must not hold the header of the signature"},
		"the host":                       {signed(`"header:Host", ".", "body"`), "must not be Host"},
		"a header that proxies change":   {signed(`"header:X-Forwarded-For", ".", "body"`), "proxies leave"},
		"a question mark beside the URL": {signed(`"url", "?", "body"`), "must not hold"},
		"a slash beside the URL":         {signed(`"url", "/", "body"`), "which may end a path"},
		"a time from nowhere":            {signed(`"timestamp", ".", "body"`), "set timestampHeader, or timestampName"},
		"a time that is not signed":      {with(timed, secret), "a timestamp that is not signed can be replaced"},
		"a tolerance of no time":         {with(sig+`, "toleranceSeconds": 300`, secret), "toleranceSeconds: must not be set"},
		"a tolerance below zero":         {with(timed+`, "signed": ["timestamp", ".", "body"], "toleranceSeconds": -1`, secret), "must not be negative"},
		"digits beside the time":         {with(timed+`, "signed": ["timestamp", "text:0", "body"]`, secret), "must not continue its digits"},
		"digits before the time":         {with(timed+`, "signed": ["body", "text:v1", "timestamp"]`, secret), "must not continue its digits"},
		"two places of the time":         {with(timed+`, "signatureName": "v1", "timestampName": "t", "signed": ["timestamp", ".", "body"]`, secret), "the timestamp is in one place"},
		"one name for both":              {with(sig+`, "signatureName": "v1", "timestampName": "v1", "signed": ["timestamp", ".", "body"]`, secret), "must differ from signatureName"},
		"a name with its sign":           {with(sig+`, "signatureName": "v1="`, secret), "signatureName: must be letters"},
		"a time of no list":              {with(sig+`, "timestampName": "t", "signed": ["timestamp", ".", "body"]`, secret), "must not be set unless signatureName is"},
		"a prefix in a list":             {with(sig+`, "signatureName": "v1", "prefix": "v1="`, secret), "prefix: must not be set beside signatureName"},
		"one header for both":            {with(sig+`, "timestampHeader": "x-sig", "signed": ["timestamp", ".", "body"]`, secret), "must differ from header"},
		"SHA-1":                          {with(sig+`, "hash": "SHA1"`, secret), "MD5 and SHA1 are broken"},
		"a hash of Ed25519":              {with(`"scheme": "Ed25519", "header": "X-Sig", "encoding": "Hex", "hash": "SHA256"`, "x"), "hash: must not be set for Ed25519"},
		"a short secret":                 {with(sig, "seven.."), "keyRefs[0]: must have at least 8 bytes"},
		"a short secret, encoded":        {with(sig+`, "keyEncoding": "Hex"`, "00112233445566"), "keyRefs[0]: must have at least 8 bytes"},
		"a secret with a line break":     {with(sig, secret+"\n"), "must not end with a line break"},
		"a secret that is no hex":        {with(sig+`, "keyEncoding": "Hex"`, secret), "keyRefs[0]: must be a secret in the encoding"},
		"a public key as a secret":       {with(sig, publicPEM(t, weak.Public())), "which others have"},
		"a private key":                  {public("Ed25519", string(private)), "must be a public key, and is a private one"},
		"RSA with 512 bits":              {public("RSA", publicPEM(t, weak.Public())), "keyRefs[0]: must have at least 2048 bits"},
		"a small curve":                  {public("ECDSA", publicPEM(t, small.Public())), "a curve of at least 256 bits"},
		"a key of another scheme":        {public("RSA", publicPEM(t, newKey(t, "Ed25519").Public())), "must be a key of scheme RSA"},
		"a secret as a public key":       {public("RSA", secret), "must be a public key in base64 or PEM"},
		"the second key":                 {with(`"scheme": "Ed25519", "header": "X-Sig", "encoding": "Hex"`, publicPEM(t, newKey(t, "Ed25519").Public()), secret), "keyRefs[1]"},
		"an encoding of public keys":     {with(`"scheme": "RSA", "header": "X-Sig", "encoding": "Hex", "keyEncoding": "Hex"`, "x"), "keyEncoding: must not be set"},
		"a key and no signature":         {with(`"scheme": "None"`, secret), "signature.keyRefs: must not be set: None signs nothing"},
		"a header and no signature":      {with(`"scheme": "None", "header": "X-Sig"`), "signature.header: must not be set"},
		"a header of the specification":  {with(`"scheme": "StandardWebhooks", "header": "X-Sig"`, whsec), "signature.header: must not be set: StandardWebhooks says so"},
		"a secret of no specification":   {with(`"scheme": "StandardWebhooks"`, secret), "must begin with whsec_ or whpk_"},
		"both are wrong":                 {`{"signature": {"scheme": "HMAC"}, "mapping": {"type": "item."}}`, "mapping: type: "},
	} {
		_, err := custom.Kind().New([]byte(c.settings), provider.Environment{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "PRIVATE")) {
			t.Errorf("%s: the error holds a key", name)
		}
	}
}
