package pressure

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/engagelab"
	"github.com/mailvane/mailvane/internal/simulate/mailchannels"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

// zeros is a body without a signature and without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestOversizedBodies sends bodies that are too large, by what they say of themselves or not, all at once.
func TestOversizedBodies(t *testing.T) {
	t.Parallel()
	other := endpoint("other")
	const budget = 32 << 20
	r := start(t, configuration(nowhere, other), fmt.Sprintf("--max-in-flight-bytes=%d", budget))
	stop := r.provide()
	defer stop()
	before := r.memory()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(w, zeros{}, 64<<20) // into memory
	_ = w.Close()
	send := func(length int64, encoding string, body io.Reader) int {
		q := r.signed("/hooks/mail/other", "")
		q.Body, q.ContentLength = io.NopCloser(body), length
		if encoding != "" {
			q.Header.Set("Content-Encoding", encoding)
		}
		return r.post(q)
	}
	var group sync.WaitGroup
	for range 24 {
		for name, c := range map[string]struct {
			want []int
			send func() int
		}{
			// A client that still sends when the connection is closed may miss the answer: 0.
			"declared too large":   {[]int{413, 0}, func() int { return send(11<<20, "", io.LimitReader(zeros{}, 11<<20)) }},
			"without an end":       {[]int{413, 429, 503, 0}, func() int { return send(-1, "", zeros{}) }},
			"a compressed bomb":    {[]int{415, 0}, func() int { return send(int64(bomb.Len()), "gzip", bytes.NewReader(bomb.Bytes())) }},
			"large, within bounds": {[]int{401, 429, 503, 0}, func() int { return send(9<<20, "", io.LimitReader(zeros{}, 9<<20)) }},
		} {
			group.Go(func() {
				if got := c.send(); !slices.Contains(c.want, got) {
					t.Errorf("%s: answered %d", name, got)
				}
			})
		}
	}
	group.Wait()
	// What is in flight, and as much again that the collector has not found yet, with room for what a request costs beside its body.
	if grown := r.memory() - before; grown > 4*budget {
		t.Errorf("the receiver grew by %d MiB for %d MiB in flight", grown>>20, budget>>20)
	}
}

// TestKeyIDFlood names ever new keys, as anybody can without knowing one.
func TestKeyIDFlood(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	var fetched atomic.Int64
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		fetched.Add(1)
		if q.URL.Query().Get("id") != "mckey" {
			http.NotFound(w, q)
			return
		}
		fmt.Fprintf(w, `{"id":"mckey","key":%q}`, base64.StdEncoding.EncodeToString(spki))
	}))
	t.Cleanup(keys.Close)
	e := endpoint("mc")
	e.Provider = config.Plugin{Type: "MailChannels", Settings: fmt.Appendf(nil, `{"customerHandles":["abc123"],"publicKeyURL":%q}`, keys.URL)}
	r := start(t, configuration(nowhere, e))

	encoded := base64.StdEncoding.EncodeToString(spki)
	signer := fmt.Appendf(nil, `{"customerHandles":["abc123"],"publicKeys":[{"id":"mckey","key":%q}]}`, encoded)
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	request := func(body string) *http.Request {
		p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
		if err := mailchannels.Sign(signer, pemKey, p); err != nil {
			t.Fatal(err)
		}
		q := r.signed(e.Path, body)
		q.Header = p.Header
		return q
	}
	body := `[{"email":"a@example.com","customer_handle":"abc123","timestamp":1767323045,"event":"open"}]`
	if status := r.post(request(body)); status != http.StatusOK {
		t.Fatalf("the genuine one: %d", status)
	}
	stop := r.provide()
	defer stop()
	started := time.Now()
	var group sync.WaitGroup
	for s := range 8 {
		group.Go(func() {
			for i := range 100 {
				q := request(body)
				q.Header.Set("Signature-Input", strings.Replace(q.Header.Get("Signature-Input"), `keyid="mckey"`, fmt.Sprintf(`keyid="forged-%d-%d"`, s, i), 1))
				if status := r.post(q); status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
					t.Errorf("a forged key: %d", status)
				}
				if i%10 == 0 {
					if status := r.post(request(body)); status != http.StatusOK {
						t.Errorf("the genuine one during the flood: %d", status)
					}
				}
			}
		})
	}
	group.Wait()
	// 6 at once and then one in 10 s, all for forged keys but the first.
	if allowed := 6 + int64(time.Since(started)/(10*time.Second)) + 1; fetched.Load() > allowed || fetched.Load() < 2 {
		t.Errorf("%d fetches for 800 forged keys, %d are allowed", fetched.Load(), allowed)
	}
}

// TestForgedAddresses says to be somebody else.
func TestForgedAddresses(t *testing.T) {
	t.Parallel()
	e := endpoint("from")
	e.Authentication.AllowedCIDRs = []string{"203.0.113.0/24"}
	direct := start(t, configuration(nowhere, e))
	behind := start(t, configuration(nowhere, e), "--trusted-proxies=127.0.0.1")
	for name, c := range map[string]struct {
		receiver *receiver
		header   http.Header
		want     int
	}{
		"nobody is trusted":                         {direct, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 401},
		"other headers are not read":                {direct, http.Header{"X-Real-Ip": {"203.0.113.7"}, "Forwarded": {"for=203.0.113.7"}, "True-Client-Ip": {"203.0.113.7"}}, 401},
		"the proxy says so":                         {behind, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 200},
		"a client says so to the proxy":             {behind, http.Header{"X-Forwarded-For": {"203.0.113.7, 198.51.100.9"}}, 401},
		"in a header of its own":                    {behind, http.Header{"X-Forwarded-For": {"203.0.113.7", "198.51.100.9"}}, 401},
		"the proxy's own address behind the forged": {behind, http.Header{"X-Forwarded-For": {"203.0.113.7, 198.51.100.9, 127.0.0.1"}}, 401},
		"rubbish":           {behind, http.Header{"X-Forwarded-For": {"203.0.113.7, unknown"}}, 401},
		"no header":         {behind, http.Header{}, 401},
		"thousands of hops": {behind, http.Header{"X-Forwarded-For": {strings.Repeat("127.0.0.1,", 3000) + "127.0.0.1"}}, 401},
		"only of proxies":   {behind, http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 401},
	} {
		q := c.receiver.signed("/hooks/mail/from", event(1))
		maps.Copy(q.Header, c.header)
		if status := c.receiver.post(q); status != c.want {
			t.Errorf("%s: %d, want %d", name, status, c.want)
		}
	}
}

// TestReplays sends what was overheard again.
func TestReplays(t *testing.T) {
	t.Parallel()
	e := endpoint("el")
	e.Provider = config.Plugin{Type: "EngageLab", Settings: []byte(`{"appKeys":["appkey123"],"signatureAlgorithm":"HMACSHA256","toleranceSeconds":60}`)}
	r := start(t, configuration(nowhere, e))
	overheard := func(age time.Duration) *http.Request {
		p := &provider.Request{
			Header: http.Header{}, ReceivedAt: time.Now().Add(-age),
			Body: []byte(`{"server":"email","message_id":"1","to":"a@example.com","itime":1767323045000,"status":{"message_status":"delivered","status_data":{}}}`),
		}
		if err := engagelab.Sign(e.Provider.Settings, nil, p); err != nil {
			t.Fatal(err)
		}
		q := r.signed(e.Path, string(p.Body))
		q.Header = p.Header
		return q
	}
	for name, c := range map[string]struct {
		age  time.Duration
		want int
	}{
		"now": {0, 200}, "within the tolerance": {50 * time.Second, 200},
		"too old": {2 * time.Minute, 401}, "much too old": {48 * time.Hour, 401}, "not yet": {-2 * time.Minute, 401},
	} {
		for range 3 {
			if status := r.post(overheard(c.age)); status != c.want {
				t.Errorf("%s: %d, want %d", name, status, c.want)
			}
		}
	}
	endpoints, err := r.admin.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range endpoints {
		if e := &endpoints[i]; e.Name == "mail/el" && (e.Accepted != 1 || e.Duplicates != 5 || e.Refused != 9) {
			t.Errorf("one event, sent again 5 times in time and 9 times too late: %+v", e.Counts)
		}
	}
}
