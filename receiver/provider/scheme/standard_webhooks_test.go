package scheme_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
)

// The request that the tests of the libraries of Standard Webhooks and Svix share.
const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	at        = 1614265330
	body      = `{"test": 2432232314}`
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func request(prefix, id, at, signature string) *provider.Request {
	return &provider.Request{Header: http.Header{prefix + "Id": {id}, prefix + "Timestamp": {at}, prefix + "Signature": {signature}}, Body: []byte(body), ReceivedAt: time.Unix(1614265330, 0)}
}

func TestStandardWebhooks(t *testing.T) {
	t.Parallel()
	seconds := strconv.Itoa(at)
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, _ := private.Public().(ed25519.PublicKey)
	asymmetric := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(id+"."+seconds+"."+body)))
	s, err := scheme.NewStandardWebhooks([]string{"whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret, also valid")), secret}, []string{"whpk_" + base64.StdEncoding.EncodeToString(public)}, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		request *provider.Request
		want    string // the key, or the reason
	}{
		"the libraries' vector":          {request("Webhook-", id, seconds, signature), "1"},
		"Svix's names":                   {request("Svix-", id, seconds, signature), "1"},
		"Ed25519":                        {request("Webhook-", id, seconds, asymmetric), "2"},
		"during a rotation":              {request("Webhook-", id, seconds, "v1,AAAA v2,what? nonsense "+signature), "1"},
		"another id":                     {request("Webhook-", id+"x", seconds, signature), "signature_mismatch"},
		"another time":                   {request("Webhook-", id, "1614265331", signature), "signature_mismatch"},
		"a time with a zero":             {request("Webhook-", id, "01614265330", signature), "signature_malformed"},
		"a time with a sign":             {request("Webhook-", id, "+1614265330", signature), "signature_malformed"},
		"a time that is none":            {request("Webhook-", id, "now", signature), "signature_malformed"},
		"an unknown version alone":       {request("Webhook-", id, seconds, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), "signature_mismatch"},
		"the text of another version":    {request("Webhook-", id, seconds, strings.Replace(signature, "v1", "v1a", 1)), "signature_mismatch"},
		"no comma":                       {request("Webhook-", id, seconds, strings.TrimPrefix(signature, "v1,")), "signature_mismatch"},
		"another spelling of the base64": {request("Webhook-", id, seconds, strings.Replace(signature, "OE=", "OF=", 1)), "signature_mismatch"},
		"too many":                       {request("Webhook-", id, seconds, strings.Repeat("v1,AAAA ", 16)+signature), "signature_mismatch"},
		"headers of two sets":            {&provider.Request{Header: http.Header{"Svix-Id": {id}, "Webhook-Timestamp": {seconds}, "Webhook-Signature": {signature}}, Body: []byte(body)}, "signature_missing"},
	}
	for name, c := range cases {
		proof, err := s.Verify(c.request)
		got := proof.Key
		if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
			got = string(refused.Reason)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for _, off := range []time.Duration{-301 * time.Second, 301 * time.Second} {
		r := request("Webhook-", id, seconds, signature)
		r.ReceivedAt = r.ReceivedAt.Add(off)
		if _, err := s.Verify(r); fmt.Sprint(err) != "verify: outside_tolerance" {
			t.Errorf("received %v later: %v", off, err)
		}
	}
	for sent, want := range map[string]string{
		id: id, "": "", " " + id: id, "a b": event.HashID("a b"), "\xff": event.HashID("\xff"),
		strings.Repeat("x", 128): strings.Repeat("x", 128), strings.Repeat("x", 129): event.HashID(strings.Repeat("x", 129)),
	} {
		if got := scheme.ID(request("Svix-", sent, seconds, signature).Header); got != want {
			t.Errorf("id %q becomes %q", sent, got)
		}
	}
}

// TestStandardWebhooksKeys checks what is no key, and that no error tells it.
func TestStandardWebhooksKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ secrets, public []string }{
		"none": {}, "an empty secret": {secrets: []string{"whsec_"}}, "no base64": {secrets: []string{"whsec_not-base64!"}},
		"a short public key": {public: []string{"whpk_AAAA"}}, "a secret as a public key": {public: []string{secret}},
	} {
		_, err := scheme.NewStandardWebhooks(c.secrets, c.public, 0)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, text := range append(c.secrets, c.public...) {
			if strings.Contains(err.Error(), strings.TrimPrefix(text, "whsec_")) && len(text) > 6 {
				t.Errorf("%s: the error tells %v", name, err)
			}
		}
	}
}
