package httpsink

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestBodyIsItsParts(t *testing.T) {
	t.Parallel()
	envelopes := func(texts ...string) (list []sink.Message) {
		for _, text := range texts {
			list = append(list, sink.Message{Envelope: []byte(text)})
		}
		return list
	}
	for name, tc := range map[string]struct {
		body body
		want string
	}{
		"single":        {single([]byte("{}")), "{}"},
		"empty":         {single(nil), ""},
		"list of one":   {body{envelopes("{}"), true}, "[{}]"},
		"list of three": {body{envelopes(`{"a":1}`, "", `{"b":2}`), true}, `[{"a":1},,{"b":2}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
			use := tc.body.attach(r)
			again, late := reader(t, r), reader(t, r)
			for _, reader := range []io.ReadCloser{r.Body, again} {
				if err := iotest.TestReader(reader, []byte(tc.want)); err != nil {
					t.Error(err)
				}
				if err := reader.Close(); err != nil {
					t.Error(err)
				}
				if n, err := reader.Read(make([]byte, 1)); n > 0 || err == nil {
					t.Errorf("Read = %d, %v after Close", n, err)
				}
			}
			use.end()
			if n, err := late.Read(make([]byte, 1)); n > 0 || err == nil {
				t.Errorf("Read = %d, %v after detach", n, err)
			}
			if r.ContentLength != int64(len(tc.want)) {
				t.Errorf("ContentLength = %d, want %d", r.ContentLength, len(tc.want))
			}
		})
	}
}

func reader(t *testing.T, r *http.Request) io.ReadCloser {
	t.Helper()
	body, err := r.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestNothingIsReadAfterSend sends to a destination that answers before it reads. What it reads later is no memory that was
// changed after Send had returned. With HTTP/2, where the answer ends the reading, the race detector tells.
func TestNothingIsReadAfterSend(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for _, status := range []int{http.StatusOK, http.StatusServiceUnavailable} {
			t.Run(fmt.Sprintf("%d, HTTP/2 %v", status, http2), func(t *testing.T) {
				t.Parallel()
				sendEarly(t, http2, status)
			})
		}
	}
}

func sendEarly(t *testing.T, http2 bool, status int) {
	t.Helper()
	changed, read := make(chan struct{}), make(chan []byte, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "0")
		if http2 {
			w.WriteHeader(status)
			read <- nil
			return
		}
		c := http.NewResponseController(w)
		_ = c.EnableFullDuplex()
		w.WriteHeader(status)
		_ = c.Flush()
		<-changed
		rest, _ := io.ReadAll(r.Body)
		read <- rest
	}))
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()
	s, err := newSink([]byte(settingsFor(server.URL, modeBatched)), sink.Environment{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.connections.transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone() //nolint:forcetypeassert // documented
	messages := sinktest.Messages(0, 20_000)
	if err := s.Send(t.Context(), sink.NewBatch(messages)); (err == nil) != (status == http.StatusOK) {
		t.Errorf("Send = %v after %d", err, status)
	}
	for i := range messages {
		copy(messages[i].Envelope, bytes.Repeat([]byte{'#'}, len(messages[i].Envelope)))
	}
	close(changed)
	if bytes.IndexByte(<-read, '#') >= 0 {
		t.Error("what Send was given is read after it has returned")
	}
}
