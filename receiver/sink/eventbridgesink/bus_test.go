package eventbridgesink

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// secret is that of the sink's access key, which no error may hold.
const secret = "s3cret-8d1f"

// entry is as the API has it.
type entry struct {
	EventBusName, Source, DetailType, Detail string
	Time                                     float64
}

// bus stands for EventBridge, as its documentation describes it: there is no such server to run. It keeps what is put onto it and refuses what is larger
// than it takes.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
type bus struct {
	*httptest.Server

	mu       sync.Mutex
	messages []entry
	requests int
	bound    int
	// answer replaces the next answers, and entry what is said of each entry; nil = all is well.
	answer http.HandlerFunc
	each   func(n int) (code string)
}

const defaultBound = 1 << 20

func newBus(t *testing.T) *bus {
	t.Helper()
	q := &bus{bound: defaultBound}
	q.Server = httptest.NewServer(q)
	t.Cleanup(q.Close)
	return q
}

func (q *bus) set(change func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer, q.each = nil, nil
	change()
}

// ServeHTTP answers one request.
func (q *bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	q.mu.Lock()
	instead := q.answer
	q.mu.Unlock()
	switch {
	case instead != nil:
		instead(w, r)
	case !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXAMPLE/"):
		say(w, http.StatusBadRequest, "UnrecognizedClientException")
	case !strings.Contains(string(body), `:123456789012:event-bus/mail"`):
		say(w, http.StatusBadRequest, "ResourceNotFoundException")
	case r.Header.Get("X-Amz-Target") == "AWSEvents.DescribeEventBus":
		fmt.Fprint(w, `{"Arn":"arn:aws:events:eu-west-1:123456789012:event-bus/mail"}`)
	default:
		q.take(w, body)
	}
}

func say(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.events#%s","message":"Signed with %s"}`, code, secret)
}

func (q *bus) take(w http.ResponseWriter, body []byte) {
	var request struct{ Entries []entry }
	if json.Unmarshal(body, &request) != nil || len(request.Entries) == 0 || len(request.Entries) > 10 {
		say(w, http.StatusBadRequest, "ValidationException")
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	total := 0
	for _, e := range request.Entries {
		total += len(e.Detail)
	}
	if total > q.bound {
		say(w, http.StatusBadRequest, "RequestEntityTooLarge")
		return
	}
	q.requests++
	results, failed := []map[string]string{}, 0
	for n, e := range request.Entries {
		code := ""
		if q.each != nil {
			code = q.each(n)
		}
		switch code {
		case "nothing":
			results = append(results, map[string]string{})
		case "":
			q.messages = append(q.messages, e)
			results = append(results, map[string]string{"EventId": fmt.Sprint(len(q.messages))})
		default:
			failed++
			results = append(results, map[string]string{"ErrorCode": code, "ErrorMessage": "Signed with " + secret})
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]any{"Entries": results, "FailedEntryCount": failed})
}

// taken returns what was put onto the bus.
func (q *bus) taken() []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}

func (q *bus) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range q.taken() {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(m.Detail), &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (q *bus) settings(more string) string {
	return fmt.Sprintf(`{"busARN":"arn:aws:events:eu-west-1:123456789012:event-bus/mail","endpoint":%q,"authentication":{"accessKeyID":"AKIAEXAMPLE","secretAccessKey":%q}%s}`,
		q.URL, secret, more)
}

// refusing has the whole of each request refused.
func (q *bus) refusing(status int, code string, header ...string) func(*testing.T) {
	return func(*testing.T) {
		q.set(func() {
			q.answer = func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(header); i += 2 {
					w.Header().Set(header[i], header[i+1])
				}
				say(w, status, code)
			}
		})
	}
}

// cut ends connections without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

func (q *bus) harness(t *testing.T) sinktest.Harness {
	t.Helper()
	stalled := make(chan struct{})
	t.Cleanup(func() { close(stalled) })
	return sinktest.Harness{
		Kind: Kind(), Settings: q.settings(""), Secrets: []string{secret}, Received: q.received,
		Break: func(*testing.T) { q.set(func() { q.answer = cut }) },
		Mend:  func(*testing.T) { q.set(func() {}) },
		Stall: func(*testing.T) { q.set(func() { q.answer = func(http.ResponseWriter, *http.Request) { <-stalled } }) },
		Bound: func(_ *testing.T, bytes int) { q.set(func() { q.bound = bytes }) },
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent:     func(*testing.T) { q.set(func() { q.each = func(int) string { return "MalformedDetail" } }) },
			sinktest.Throttled:     q.refusing(http.StatusBadRequest, "ThrottlingException", "Retry-After", "7"),
			sinktest.Transient:     q.refusing(http.StatusInternalServerError, "InternalFailure"),
			sinktest.BadCredential: q.refusing(http.StatusBadRequest, "AccessDeniedException"),
			sinktest.NoDestination: q.refusing(http.StatusBadRequest, "ResourceNotFoundException"),
			sinktest.Unreachable:   func(*testing.T) { q.Close() },
		},
	}
}
