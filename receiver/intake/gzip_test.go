package intake_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/nylas"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

const notification = `{"type": "message.deleted", "id": "n1", "time": 1767261600, "data": {"object": {"id": "m", "grant_id": "g"}}}`

// compressing is an endpoint whose provider may send bodies that are compressed.
func compressing(e *config.Endpoint) {
	e.Provider = config.Plugin{Type: "Nylas", Settings: []byte(`{"webhookSecrets": ["` + secret + `"]}`)}
}

// compressed returns a request with a compressed body, signed as it is sent.
func compressed(t *testing.T, text string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	p := &provider.Request{Header: http.Header{}, Body: body.Bytes(), ReceivedAt: time.Now()}
	if err := nylas.Sign([]byte(`{"webhookSecrets": ["`+secret+`"]}`), nil, p); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(p.Body))
	r.Header = p.Header
	return r
}

// TestGzip has a provider that may compress its bodies, whose signature is over what it sends.
func TestGzip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		codings []string
		change  func(*http.Request)
		status  int
	}{
		"gzip":                     {[]string{"gzip"}, nil, 200},
		"in another case":          {[]string{"GZip"}, nil, 200},
		"the old name":             {[]string{"x-gzip"}, nil, 200},
		"beside what is none":      {[]string{"gzip, identity"}, nil, 200},
		"a header that was lost":   {nil, nil, 200},
		"twice":                    {[]string{"gzip, gzip"}, nil, 415},
		"twice, in two lines":      {[]string{"gzip", "gzip"}, nil, 415},
		"another coding":           {[]string{"br"}, nil, 415},
		"another coding beside it": {[]string{"br, gzip"}, nil, 415},
		"forged":                   {[]string{"gzip"}, func(r *http.Request) { r.Header.Set("X-Nylas-Signature", "00") }, 401},
		"inflated on the way": {nil, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(notification))), int64(len(notification))
		}, 401},
	} {
		f := newFront(t, emailEngine(compressing))
		r := compressed(t, notification)
		r.Header["Content-Encoding"] = c.codings
		if c.change != nil {
			c.change(r)
		}
		if a := f.do(r); a.status != c.status || a.status == 200 && (a.Accepted != 1 || a.DeadLettered != 0) {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, c.status)
		}
	}
}

// TestGzipIsOneEventWithPlain: a provider whose compression is switched off tells the same.
func TestGzipIsOneEventWithPlain(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(compressing))
	first := f.do(compressed(t, notification))
	p := &provider.Request{Header: http.Header{}, Body: []byte(notification), ReceivedAt: time.Now()}
	if err := nylas.Sign([]byte(`{"webhookSecrets": ["`+secret+`"]}`), nil, p); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(p.Body))
	r.Header = p.Header
	if second := f.do(r); first.Accepted != 1 || second.Accepted != 0 || second.Duplicates != 1 {
		t.Errorf("%s, then %s", first.body, second.body)
	}
}

// TestABombIsADeadLetter: what a short body becomes is bounded by the endpoint's largest body.
func TestABombIsADeadLetter(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) { compressing(e); e.MaxBodyBytes = 64 << 10 }))
	r := compressed(t, `{"a": "`+string(bytes.Repeat([]byte{'a'}, 10<<20))+`"}`)
	if a := f.do(r); a.status != 200 || a.DeadLettered != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if letters := f.deadLetters(); len(letters) != 1 || len(letters[0].Payload) > 64<<10 {
		t.Errorf("%d dead letters", len(letters))
	}
}

// TestChallengeOverHTTP: Nylas wants the bytes of its challenge and no chunks.
func TestChallengeOverHTTP(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(compressing))
	server := httptest.NewServer(f.handler)
	defer server.Close()
	response, err := server.Client().Get(server.URL + path + "?challenge=a-%3C1%3E") //nolint:noctx // of the test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || string(body) != "a-<1>" || response.ContentLength != 5 || len(response.TransferEncoding) > 0 {
		t.Errorf("%d %q of %d bytes, %v, %v", response.StatusCode, body, response.ContentLength, response.TransferEncoding, err)
	}
	if h := response.Header; h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("a browser may take it for a page: %v", h)
	}
}
