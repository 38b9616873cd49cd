package sqssink

import (
	"crypto/md5"
	"encoding/hex"
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

// attribute and entry are as the API has them.
type attribute struct{ DataType, StringValue string }

type entry struct {
	ID                     string `json:"Id"`
	MessageBody            string
	MessageGroupId         string //nolint:revive // the API's
	MessageDeduplicationId string //nolint:revive // the API's
	MessageAttributes      map[string]attribute
}

// queue stands for SQS, as its documentation describes the JSON protocol: there is no such server to run. It keeps what it is sent, knows messages of a
// FIFO queue again, and refuses what is larger than it takes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
type queue struct {
	*httptest.Server

	mu       sync.Mutex
	messages []entry
	known    map[string]bool
	requests int
	isFIFO   bool
	bound    int
	// answer replaces the next answers, and entry what is said of each entry; nil = all is well.
	answer http.HandlerFunc
	each   func(e *entry) (code string)
}

const defaultBound = 1 << 20

func newQueue(t *testing.T, isFIFO bool) *queue {
	t.Helper()
	q := &queue{known: map[string]bool{}, isFIFO: isFIFO, bound: defaultBound}
	q.Server = httptest.NewServer(q)
	t.Cleanup(q.Close)
	return q
}

func (q *queue) set(change func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer, q.each = nil, nil
	change()
}

// ServeHTTP answers one request.
func (q *queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		say(w, http.StatusForbidden, "UnrecognizedClientException")
	case !strings.Contains(string(body), `/123456789012/mail`):
		say(w, http.StatusBadRequest, "QueueDoesNotExist")
	case r.Header.Get("X-Amz-Target") == "AmazonSQS.GetQueueAttributes":
		fmt.Fprint(w, `{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:123456789012:mail"}}`)
	default:
		q.take(w, body)
	}
}

func say(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s","message":"Signed with %s"}`, code, secret)
}

func (q *queue) take(w http.ResponseWriter, body []byte) {
	var request struct{ Entries []entry }
	if json.Unmarshal(body, &request) != nil || len(request.Entries) == 0 || len(request.Entries) > 10 {
		say(w, http.StatusBadRequest, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	total := 0
	for _, e := range request.Entries {
		total += len(e.MessageBody)
	}
	if total > q.bound {
		say(w, http.StatusBadRequest, "AWS.SimpleQueueService.BatchRequestTooLong")
		return
	}
	q.requests++
	answer := map[string][]map[string]any{"Successful": {}, "Failed": {}}
	for _, e := range request.Entries {
		code := ""
		if q.each != nil {
			code = q.each(&e)
		}
		if code == "nothing" {
			continue
		}
		if code != "" {
			answer["Failed"] = append(answer["Failed"], map[string]any{"Id": e.ID, "Code": code, "SenderFault": true, "Message": "Signed with " + secret})
			continue
		}
		if !q.isFIFO || !q.known[e.MessageDeduplicationId] {
			q.messages = append(q.messages, e)
		}
		q.known[e.MessageDeduplicationId] = true
		sum := md5.Sum([]byte(e.MessageBody))
		answer["Successful"] = append(answer["Successful"], map[string]any{"Id": e.ID, "MessageId": e.ID, "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(answer)
}

// taken returns the messages of the queue.
func (q *queue) taken() []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}

func (q *queue) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range q.taken() {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(m.MessageBody), &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (q *queue) settings(more string) string {
	suffix := ""
	if q.isFIFO {
		suffix = ".fifo"
	}
	return fmt.Sprintf(`{"queueURL":"https://sqs.eu-west-1.amazonaws.com/123456789012/mail%s","region":"eu-west-1","endpoint":%q,`+
		`"authentication":{"accessKeyID":"AKIAEXAMPLE","secretAccessKey":%q}%s}`, suffix, q.URL, secret, more)
}

// refusing has the whole of each request refused.
func (q *queue) refusing(status int, code string, header ...string) func(*testing.T) {
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

func (q *queue) harness(t *testing.T) sinktest.Harness {
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
			sinktest.Permanent:     func(*testing.T) { q.set(func() { q.each = func(*entry) string { return "InvalidMessageContents" } }) },
			sinktest.Throttled:     q.refusing(http.StatusBadRequest, "RequestThrottled", "Retry-After", "7"),
			sinktest.Transient:     q.refusing(http.StatusInternalServerError, "InternalFailure"),
			sinktest.BadCredential: q.refusing(http.StatusForbidden, "AccessDenied"),
			sinktest.NoDestination: q.refusing(http.StatusBadRequest, "AWS.SimpleQueueService.NonExistentQueue"),
			sinktest.Unreachable:   func(*testing.T) { q.Close() },
		},
	}
}
