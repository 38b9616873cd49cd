package s3sink

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/zstd"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/storage"
)

const bucket = "events"

// destination is a server with a bucket, and a front to it that notes what is written, and can answer in its place.
type destination struct {
	server *storage.Server
	front  *httptest.Server

	mu     sync.Mutex
	keys   []string // of what was written, in the order in which it was first
	puts   []string // of all that was
	answer http.HandlerFunc
	isDown bool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T) *destination {
	t.Helper()
	server, err := storage.Start(t.Context(), t.TempDir(), os.Stderr)
	must(t, err)
	t.Cleanup(func() { must(t, server.Kill()) })
	d := &destination{server: server}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: server.Address})
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: d.note,
		// A server that is away is no answer.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // how a handler ends a connection
	}
	d.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := d.instead(); answer != nil {
			answer(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(d.front.Close)
	_, err = d.client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	must(t, err)
	return d
}

// note remembers what was written.
func (d *destination) note(r *http.Response) error {
	if r.Request.Method != http.MethodPut || r.StatusCode != http.StatusOK {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.TrimPrefix(r.Request.URL.Path, "/"+bucket+"/")
	if d.puts = append(d.puts, key); !slices.Contains(d.keys, key) {
		d.keys = append(d.keys, key)
	}
	return nil
}

func (d *destination) instead() http.HandlerFunc {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answer
}

func (d *destination) set(answer http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

// client is that of the test.
func (d *destination) client() *s3.Client {
	session := sinkaws.New(sinkaws.Options{
		Region: storage.Region, Endpoint: "http://" + d.server.Address,
		Account: account.Settings{AccessKeyID: storage.AccessKeyID, SecretAccessKey: storage.SigningKey},
	}, sink.Environment{})
	return s3.NewFromConfig(session.Config, func(o *s3.Options) { o.UsePathStyle = true })
}

// read returns what an object holds.
func (d *destination) read(t *testing.T, key string) []byte {
	t.Helper()
	out, err := d.client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	must(t, err)
	body, err := io.ReadAll(out.Body)
	must(t, err)
	must(t, out.Body.Close())
	switch {
	case strings.HasSuffix(key, ".zst"):
		r, err := zstd.NewReader(nil)
		must(t, err)
		defer r.Close()
		body, err = r.DecodeAll(body, nil)
		must(t, err)
	case strings.HasSuffix(key, ".gz"):
		r, err := gzip.NewReader(bytes.NewReader(body))
		must(t, err)
		body, err = io.ReadAll(r)
		must(t, err)
	}
	return body
}

// stored returns the keys of all objects, in the order in which they were first written.
func (d *destination) stored(t *testing.T) []string {
	t.Helper()
	var listed []string
	pages := s3.NewListObjectsV2Paginator(d.client(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, o := range page.Contents {
			listed = append(listed, aws.ToString(o.Key))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.SortFunc(listed, func(a, b string) int { return slices.Index(d.keys, a) - slices.Index(d.keys, b) })
	return listed
}

// received returns the ids of the events that are stored. None is there twice: what is sent again overwrites itself.
func (d *destination) received(t *testing.T) (ids []string) {
	t.Helper()
	if d.isDown {
		return nil
	}
	seen := map[string]bool{}
	for _, key := range d.stored(t) {
		for line := range strings.Lines(string(d.read(t, key))) {
			var e struct{ ID string }
			must(t, json.Unmarshal([]byte(line), &e))
			if seen[e.ID] {
				t.Errorf("%s is there twice", e.ID)
			}
			seen[e.ID] = true
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"endpoint":%q,"bucket":%q,"region":%q,"authentication":{"accessKeyID":%q,"secretAccessKey":%q}%s}`,
		d.front.URL, bucket, storage.Region, storage.AccessKeyID, storage.SigningKey, more)
}

// open opens a sink with settings beside those that lead to the destination.
func (d *destination) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	s, err := newSink([]byte(d.settings(more)), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// saying returns an answer in the form of S3.
func saying(status int, code string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>Signed with %s.</Message></Error>", code, storage.SigningKey)
	}
}

func (d *destination) kill(t *testing.T) {
	t.Helper()
	must(t, d.server.Kill())
}

func (d *destination) again(t *testing.T) {
	t.Helper()
	must(t, d.server.Start(t.Context()))
}

// heal ends whatever fails.
func (d *destination) heal(t *testing.T) {
	t.Helper()
	d.set(nil)
	if d.server.Secret != storage.SigningKey {
		d.kill(t)
		d.server.Secret = storage.SigningKey
		d.again(t)
	}
}

func (d *destination) harness() sinktest.Harness {
	answers := func(answer http.HandlerFunc) func(*testing.T) {
		return func(t *testing.T) {
			d.heal(t)
			d.set(answer)
		}
	}
	return sinktest.Harness{
		Kind: Kind(), Settings: d.settings(""), Secrets: []string{storage.SigningKey}, Received: d.received,
		Break: d.kill, Mend: d.again,
		Stall: func(t *testing.T) { must(t, d.server.Pause()) },
		Batches: func(*testing.T) []string {
			d.mu.Lock()
			defer d.mu.Unlock()
			return slices.Clone(d.puts)
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent: answers(saying(http.StatusBadRequest, "EntityTooLarge")),
			sinktest.Throttled: answers(saying(http.StatusServiceUnavailable, "SlowDown", "Retry-After", "7")),
			sinktest.Transient: answers(saying(http.StatusInternalServerError, "InternalError")),
			sinktest.BadCredential: func(t *testing.T) {
				d.heal(t)
				d.kill(t)
				d.server.Secret = "another-secret-of-the-storage"
				d.again(t)
			},
			sinktest.NoDestination: func(t *testing.T) {
				d.heal(t)
				d.empty(t)
				_, err := d.client().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)})
				must(t, err)
			},
			sinktest.Unreachable: func(t *testing.T) {
				d.heal(t)
				d.isDown = true
				d.front.Close()
			},
		},
	}
}

// empty removes all objects.
func (d *destination) empty(t *testing.T) {
	t.Helper()
	for _, key := range d.stored(t) {
		_, err := d.client().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		must(t, err)
	}
}
