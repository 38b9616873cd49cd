package intake_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/metrics"
)

func TestContentEncoding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines  []string
		status int
	}{
		"nothing is said":                  {nil, 200},
		"identity":                         {[]string{"identity"}, 200},
		"identity in another case":         {[]string{"Identity"}, 200},
		"identity twice":                   {[]string{"identity, identity"}, 200},
		"no value":                         {[]string{""}, 200},
		"no element":                       {[]string{" , ,"}, 200},
		"none":                             {[]string{"none"}, 200},
		"a charset":                        {[]string{"UTF-8"}, 200},
		"a charset, with spaces":           {[]string{"\t utf-8 "}, 200},
		"an encoding of mail that is none": {[]string{"8bit"}, 200},
		"no coding in two lines":           {[]string{"identity", "UTF-8"}, 200},
		"gzip":                             {[]string{"gzip"}, 415},
		"gzip in another case":             {[]string{"GZIP"}, 415},
		"the old name of gzip":             {[]string{"x-gzip"}, 415},
		"deflate":                          {[]string{"deflate"}, 415},
		"compress":                         {[]string{"compress"}, 415},
		"Brotli":                           {[]string{"br"}, 415},
		"Zstandard":                        {[]string{"zstd"}, 415},
		"a framing of chunks":              {[]string{"aws-chunked"}, 415},
		"a word that nobody knows":         {[]string{"identity2"}, 415},
		"a mix":                            {[]string{"identity, gzip"}, 415},
		"a mix without spaces":             {[]string{"gzip,identity"}, 415},
		"a mix in two lines":               {[]string{"identity", "gzip"}, 415},
		"a mix with an empty line":         {[]string{"", "br"}, 415},
		"a mix that ends with a charset":   {[]string{"gzip, utf-8"}, 415},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, emailEngine(nil))
			r := signed(t, path, trackOpen)
			r.Header["Content-Encoding"] = c.lines
			a := f.do(r)
			if a.status != c.status || a.status == 200 && a.Accepted != 1 {
				t.Fatalf("%d %s, want %d", a.status, a.body, c.status)
			}
			var want metrics.Counts
			if want.Accepted = 1; c.status == 415 {
				want = metrics.Counts{Encoded: 1}
			}
			if a.status == 415 && a.header.Get("Accept-Encoding") != "identity" {
				t.Errorf("Accept-Encoding %q", a.header.Get("Accept-Encoding"))
			}
			if got := f.counts("mail/ee"); got != want {
				t.Errorf("counted %+v, want %+v", got, want)
			}
		})
	}
}

// TestACompressedBodyThatDoesNotSaySo is kept whole, with a reason that says what it is.
func TestACompressedBodyThatDoesNotSaySo(t *testing.T) {
	t.Parallel()
	for name, compress := range map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"zlib": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	} {
		var body bytes.Buffer
		w := compress(&body)
		_, _ = io.WriteString(w, trackOpen) // into memory
		_ = w.Close()
		f := newFront(t, emailEngine(nil))
		if a := f.do(signed(t, path, body.String())); a.status != 200 || a.DeadLettered != 1 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		letters := f.deadLetters()
		if len(letters) != 1 || !bytes.Equal(letters[0].Payload, body.Bytes()) || !strings.Contains(letters[0].Reason, "compressed ("+name+")") {
			t.Errorf("%s: dead letters %+v", name, letters)
		}
	}
}

// TestBodiesAboveTheBoundAreCounted by the endpoint whose bound is to be raised.
func TestBodiesAboveTheBoundAreCounted(t *testing.T) {
	t.Parallel()
	small := emailEngine(func(e *config.Endpoint) { e.Name, e.Path, e.MaxBodyBytes = "small", "/hooks/mail/small", 10 })
	f := newFront(t, emailEngine(nil), small)
	for _, length := range []int64{int64(len(trackOpen)), -1} {
		r := signed(t, "/hooks/mail/small", trackOpen)
		r.ContentLength = length
		if a := f.do(r); a.status != 413 {
			t.Errorf("of length %d: %d %s", length, a.status, a.body)
		}
	}
	if got := f.counts("mail/small"); got != (metrics.Counts{TooLarge: 2}) {
		t.Errorf("counted %+v", got)
	}
	if got := f.counts("mail/ee"); got != (metrics.Counts{}) {
		t.Errorf("counted for the other endpoint: %+v", got)
	}
}
