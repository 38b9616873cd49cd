package endpoint_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/provider"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// takingGzip returns an endpoint, with a largest body of 1,000 bytes or as changed, whose provider may send compressed bodies.
func takingGzip(t *testing.T, taken bool, change ...func(*config.Endpoint)) (*endpoint.Table, *endpoint.Endpoint) {
	t.Helper()
	c := compiler(t, lines{signs: true})
	lookup := c.Lookup
	c.Lookup = func(name string) (provider.Kind, bool) {
		kind, ok := lookup(name)
		kind.TakesGzip = taken
		return kind, ok
	}
	table, err := c.Compile(&config.Config{Version: config.Version, Endpoints: []config.Endpoint{spec(func(e *config.Endpoint) {
		for _, f := range change {
			f(e)
		}
	})}})
	if err != nil {
		t.Fatal(err)
	}
	return table, only(t, table)
}

// TestGzip: what the provider sends compressed is read, and nothing becomes larger than the endpoint's largest body.
func TestGzip(t *testing.T) {
	t.Parallel()
	good := zipped(t, "a\nb")
	for name, c := range map[string]struct {
		body   []byte
		events int
		reason string
	}{
		"as it comes":          {good, 2, ""},
		"not compressed":       {[]byte("a\nb\nc"), 3, ""},
		"two members":          {append(bytes.Clone(good), zipped(t, "\nc")...), 3, ""},
		"as large as may be":   {zipped(t, strings.Repeat("a", 1000)), 1, ""},
		"a byte too large":     {zipped(t, strings.Repeat("a", 1001)), 0, "larger, inflated, than spec.maxBodySize, 1000 bytes"},
		"a bomb":               {zipped(t, strings.Repeat("a", 10<<20)), 0, "larger, inflated"},
		"cut off":              {good[:len(good)-9], 0, "broken"},
		"a wrong sum":          {append(bytes.Clone(good[:len(good)-8]), make([]byte, 8)...), 0, "broken"},
		"more behind it":       {append(bytes.Clone(good), "hello"...), 0, "broken"},
		"a header and no more": {[]byte("\x1f\x8b\x08"), 0, "broken"},
		"another method":       {[]byte("\x1f\x8b\x07" + strings.Repeat("a", 20)), 0, "compressed (gzip) and no Content-Encoding"},
		"zlib":                 {[]byte("x\x9cabc"), 0, "compressed (zlib)"},
	} {
		_, e := takingGzip(t, true)
		b := e.Decode(&provider.Request{Body: c.body, ReceivedAt: now()})
		if len(b.Events) != c.events || (len(b.Undecodable) == 1) != (c.reason != "") {
			t.Errorf("%s: %d events, %+v", name, len(b.Events), b.Undecodable)
		}
		for _, u := range b.Undecodable {
			if !strings.Contains(u.Reason, c.reason) || !bytes.Equal(u.Raw, c.body) {
				t.Errorf("%s: %q of %d bytes", name, u.Reason, len(u.Raw))
			}
		}
	}
	if _, e := takingGzip(t, false); e.IsGzip(good) || len(e.Decode(&provider.Request{Body: good, ReceivedAt: now()}).Events) > 0 {
		t.Error("another provider's body is inflated")
	}
}

// TestABombIsNotInflated: however large a body may be, what arrived bounds what it becomes. Text in which much is repeated is well within.
func TestABombIsNotInflated(t *testing.T) {
	t.Parallel()
	_, e := takingGzip(t, true, func(e *config.Endpoint) { e.MaxBodyBytes = 100 << 20 })
	bomb := zipped(t, strings.Repeat("a", 50<<20))
	b := e.Decode(&provider.Request{Body: bomb, ReceivedAt: now()})
	if len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, "100 times what arrived") || !bytes.Equal(b.Undecodable[0].Raw, bomb) {
		t.Errorf("%d bytes that become 50 MiB: %d events, %d letters", len(bomb), len(b.Events), len(b.Undecodable))
	}
	page := strings.Repeat(`<td style="padding: 0 0 0 8px; font-family: sans-serif"><a href="https://example.com/">more</a></td>`, 600)
	if b := e.Decode(&provider.Request{Body: zipped(t, page), ReceivedAt: now()}); len(b.Events) != 1 {
		t.Errorf("a page of %d bytes: %+v", len(page), b.Undecodable)
	}
}

// TestACompressedDeadLetter can be decoded once the endpoint takes bodies of its size.
func TestACompressedDeadLetter(t *testing.T) {
	t.Parallel()
	table, e := takingGzip(t, true)
	letter := &journal.DeadLetter{ID: 1, Cause: journal.CauseUndecodable, Endpoint: e.Name(), At: now(), Payload: zipped(t, "a\nb")}
	if b, err := table.Requeue(letter, now()); err != nil || len(b.Entries) != 2 || len(b.Resolves) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	letter.Payload = zipped(t, strings.Repeat("a", 1001))
	if _, err := table.Requeue(letter, now()); err == nil || !strings.Contains(err.Error(), "spec.maxBodySize") {
		t.Errorf("%v", err)
	}
}
