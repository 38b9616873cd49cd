package signature_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

const trackClick = `{"account":"example","date":"2022-03-24T08:27:24.572Z","event":"trackClick","data":{"messageId":"<a@example.com>","url":"https://google.com/"}}`

// position returns the first of what Match returns, -1 = there is none.
func position(key int, ok bool) int {
	if ok != (key >= 0) {
		return -2
	}
	return key
}

// TestHMACVectors holds values that were computed with Python's hmac module.
func TestHMACVectors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		newHash func() hash.Hash
		key     string
		message string
		want    string
	}{
		"SHA-256 of a body": {
			reason:  "Webex Connect signs like this",
			newHash: sha256.New, key: "hubsecret", message: trackClick,
			want: "aa2122ae2c7736db106210e44ae4d44a8bd2d947f2f5e3eda898645bf464f69b",
		},
		"SHA-512 of a body": {
			reason:  "Webex Connect signs like this when configured so",
			newHash: sha512.New, key: "hubsecret", message: trackClick,
			want: "933ee0c2fc02ddd4c1ef6c053d2b1ad286cc27023fff0f0c918daf866e3988f7106e85102a9150f9641c15ec9d1554153994edba45b050bae3f381934ebece2b",
		},
		"SHA-256 of a timestamp": {
			reason:  "EngageLab signs like this",
			newHash: sha256.New, key: "appkey123", message: "1676615711325",
			want: "0b15f70837eecf8dedececccd1528fac9e455f270ecb6a7784c3588b9ca66d54",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mac := signature.HMAC(c.newHash, []byte(c.key), []byte(c.message))
			if got := hex.EncodeToString(mac); got != c.want {
				t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
			}
			macs := signature.Keys{[]byte("other"), []byte(c.key)}.MACs(c.newHash)
			for range 3 { // states are used again
				half := len(c.message) / 2
				if position(macs.Match(mac, []byte(c.message[:half]), []byte(c.message[half:]))) != 1 || position(macs.Match(mac, []byte(c.message+" "))) >= 0 || position(macs.Match(mac[1:], []byte(c.message))) >= 0 {
					t.Errorf("%s: the message does not match, or another one does", c.reason)
				}
			}
		})
	}
}

func TestKeysMatch(t *testing.T) {
	t.Parallel()
	keys, err := signature.NewKeys([]string{"old", "new"})
	if err != nil {
		t.Fatal(err)
	}
	for want, key := range []string{"old", "new"} {
		tried := 0
		got, matched := keys.Match([]byte(key), func(k []byte) []byte { tried++; return k })
		if !matched || got != want || tried != 2 {
			t.Errorf("%q: matched %v at %d after %d keys, want %d after all of them", key, matched, got, tried, want)
		}
	}
	if position(keys.Match([]byte("else"), func(k []byte) []byte { return k })) >= 0 {
		t.Error("a mac of no key matches")
	}
	if position((signature.Keys{}).Match(nil, func(k []byte) []byte { return k })) >= 0 {
		t.Error("without keys, an empty mac matches")
	}
	if _, err := signature.NewKeys([]string{"new", ""}); err == nil {
		t.Error("an empty secret is accepted")
	}
}

func TestMACsOfNoKeys(t *testing.T) {
	t.Parallel()
	if position((signature.Keys{}).MACs(sha256.New).Match(nil, nil)) >= 0 {
		t.Error("without keys, an empty mac matches")
	}
}

// TestMACsAreNotMixed checks messages at once, of which one in two is not what was signed.
func TestMACsAreNotMixed(t *testing.T) {
	t.Parallel()
	macs := signature.Keys{[]byte("old"), []byte("new")}.MACs(sha256.New)
	var checks sync.WaitGroup
	for i := range 8 {
		checks.Go(func() {
			message := bytes.Repeat([]byte{byte(i)}, 100*i)
			mac := signature.HMAC(sha256.New, []byte("new"), message)
			for range 500 {
				if position(macs.Match(mac, message)) != 1 || position(macs.Match(mac, append(message, 'x'))) >= 0 {
					t.Error("the message does not match, or another one does")
					return
				}
			}
		})
	}
	checks.Wait()
}

func TestHeader(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		values []string
		want   string
		err    error
	}{
		"one value":    {reason: "the common case", values: []string{" abc "}, want: "abc"},
		"none":         {reason: "nothing was signed", err: signature.ErrMissing},
		"an empty one": {reason: "an empty signature is none", values: []string{" "}, err: signature.ErrMissing},
		"two":          {reason: "which one counts is anybody's guess", values: []string{"a", "a"}, err: signature.ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.Header(http.Header{"X-Sig": c.values}, "X-Sig")
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: got %q, %v; want %q, %v", c.reason, got, err, c.want, c.err)
			}
		})
	}
}

func TestDecodeDigests(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		decode func([]byte, string) error
		text   string
		size   int
		want   []byte
		ok     bool
	}{
		"hex":                        {reason: "lower case", decode: signature.DecodeHex, text: "00ff", size: 2, want: []byte{0, 0xff}, ok: true},
		"hex, upper case":            {reason: "hex has no case", decode: signature.DecodeHex, text: "00FF", size: 2, want: []byte{0, 0xff}, ok: true},
		"hex, too short":             {reason: "another algorithm's digest", decode: signature.DecodeHex, text: "00", size: 2},
		"hex, too long":              {reason: "another algorithm's digest", decode: signature.DecodeHex, text: "00ff00", size: 2},
		"hex, not hex":               {reason: "garbage", decode: signature.DecodeHex, text: "00fg", size: 2},
		"base64":                     {reason: "padded", decode: signature.DecodeBase64, text: "/+8=", size: 2, want: []byte{0xff, 0xef}, ok: true},
		"base64, without padding":    {reason: "one spelling only", decode: signature.DecodeBase64, text: "/+8", size: 2},
		"base64, letters of a URL":   {reason: "another alphabet", decode: signature.DecodeBase64, text: "_-8=", size: 2},
		"base64, stray bits":         {reason: "one spelling only", decode: signature.DecodeBase64, text: "/+9=", size: 2},
		"base64url":                  {reason: "unpadded", decode: signature.DecodeBase64URL, text: "_-8", size: 2, want: []byte{0xff, 0xef}, ok: true},
		"base64url, padded":          {reason: "one spelling only", decode: signature.DecodeBase64URL, text: "_-8=", size: 2},
		"base64url, standard letter": {reason: "another alphabet", decode: signature.DecodeBase64URL, text: "/+8", size: 2},
		"hex, longest":               {reason: "SHA-512", decode: signature.DecodeHex, text: strings.Repeat("a5", 64), size: 64, want: bytes.Repeat([]byte{0xa5}, 64), ok: true},
		"hex, longer than any":       {reason: "no bound but the text's", decode: signature.DecodeHex, text: strings.Repeat("a5", 99), size: 99, want: bytes.Repeat([]byte{0xa5}, 99), ok: true},
		"base64url, too long":        {reason: "another algorithm's digest", decode: signature.DecodeBase64URL, text: "_-__", size: 2},
		"base64url, stray bits":      {reason: "one spelling only", decode: signature.DecodeBase64URL, text: "_-9", size: 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make([]byte, c.size)
			err := c.decode(got, c.text)
			if c.ok != (err == nil) || (c.ok && !bytes.Equal(got, c.want)) {
				t.Errorf("%s: got %x, %v", c.reason, got, err)
			}
			if err != nil && !errors.Is(err, signature.ErrMalformed) {
				t.Errorf("error %v is not ErrMalformed", err)
			}
		})
	}
}

func TestCheckTime(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	cases := map[string]struct {
		reason    string
		offset    time.Duration
		tolerance time.Duration
		want      error
	}{
		"off":            {reason: "zero accepts any time", offset: -1000 * time.Hour},
		"at the past":    {reason: "the bound itself is inside", offset: -time.Minute, tolerance: time.Minute},
		"at the future":  {reason: "the bound itself is inside", offset: time.Minute, tolerance: time.Minute},
		"too old":        {reason: "a replay", offset: -time.Minute - 1, tolerance: time.Minute, want: signature.ErrTime},
		"too far ahead":  {reason: "a signature for later use", offset: time.Minute + 1, tolerance: time.Minute, want: signature.ErrTime},
		"a wild instant": {reason: "arithmetic must not overflow into acceptance", offset: 1<<63 - 1, tolerance: time.Minute, want: signature.ErrTime},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := signature.CheckTime(now.Add(c.offset), now, c.tolerance); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.reason, err, c.want)
			}
		})
	}
}
