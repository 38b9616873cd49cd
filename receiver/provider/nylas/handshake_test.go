package nylas_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider"
)

// TestChallenge has the GET by which Nylas asks: the answer is the value and no other byte.
func TestChallenge(t *testing.T) {
	t.Parallel()
	answer := func(text, length string) provider.Reply {
		header := http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {length}}
		return provider.Reply{Header: header, Body: []byte(text)}
	}
	refused := provider.Reply{Status: http.StatusBadRequest}
	for name, c := range map[string]struct {
		method, query string
		want          provider.Reply
		is            bool
	}{
		"a challenge":             {http.MethodGet, "challenge=bc609b38-c81f-47fb", answer("bc609b38-c81f-47fb", "18"), true},
		"escaped":                 {http.MethodGet, "challenge=a%2Bb%3D%3d+c", answer("a+b== c", "7"), true},
		"beside other parameters": {http.MethodGet, "tenant=7&challenge=a", answer("a", "1"), true},
		"a page":                  {http.MethodGet, "challenge=%3Cscript%3E", answer("<script>", "8"), true},
		"no value":                {http.MethodGet, "challenge=", refused, true},
		"two values":              {http.MethodGet, "challenge=a&challenge=b", refused, true},
		"another header":          {http.MethodGet, "challenge=a%0d%0aSet-Cookie:%20b", refused, true},
		"no text":                 {http.MethodGet, "challenge=%ff", refused, true},
		"too long":                {http.MethodGet, "challenge=" + strings.Repeat("a", 513), refused, true},
		"as long as may be":       {http.MethodGet, "challenge=" + strings.Repeat("a", 512), answer(strings.Repeat("a", 512), "512"), true},
		"a query that is none":    {http.MethodGet, "challenge=%zz", provider.Reply{}, false},
		"a probe":                 {http.MethodGet, "", provider.Reply{}, false},
		"another name":            {http.MethodGet, "Challenge=a", provider.Reply{}, false},
		"a HEAD":                  {http.MethodHead, "challenge=a", provider.Reply{}, false},
		"an event with a query":   {http.MethodPost, "challenge=a", provider.Reply{}, false},
	} {
		h, ok := webhook(t, `{"webhookSecrets": ["s"]}`).(provider.Handshaker)
		if !ok || len(h.Methods()) > 0 {
			t.Fatal("its handshake is not a GET")
		}
		reply, is := h.Handshake(&provider.Request{Method: c.method, Query: c.query, Header: http.Header{}})
		if diff := cmp.Diff(c.want, reply); diff != "" || is != c.is {
			t.Errorf("%s: %v, -want +got:\n%s", name, is, diff)
		}
	}
}
