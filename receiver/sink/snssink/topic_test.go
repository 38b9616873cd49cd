package snssink

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// secret is that of the sink's access key, which no error may hold.
const secret = "s3cret-8d1f"

// entry is what was published.
type entry struct {
	ID, Message, Group, Deduplication string
	Attributes                        map[string]string
}

// topic stands for SNS, as its documentation describes it: there is no such server to run. It keeps what is published, knows messages of a FIFO topic
// again, and refuses what is larger than it takes.
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
type topic struct {
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

const defaultBound = 256 << 10

func newTopic(t *testing.T, isFIFO bool) *topic {
	t.Helper()
	q := &topic{known: map[string]bool{}, isFIFO: isFIFO, bound: defaultBound}
	q.Server = httptest.NewServer(q)
	t.Cleanup(q.Close)
	return q
}

func (q *topic) set(change func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer, q.each = nil, nil
	change()
}

// ServeHTTP answers one request.
func (q *topic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	q.mu.Lock()
	instead := q.answer
	q.mu.Unlock()
	form, err := url.ParseQuery(string(body))
	switch {
	case instead != nil:
		instead(w, r)
	case !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXAMPLE/"):
		say(w, http.StatusForbidden, "InvalidClientTokenId")
	case err != nil || !strings.HasPrefix(form.Get("TopicArn"), "arn:aws:sns:eu-west-1:123456789012:mail"):
		say(w, http.StatusNotFound, "NotFound")
	case form.Get("Action") == "GetTopicAttributes":
		fmt.Fprint(w, `<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes/></GetTopicAttributesResult></GetTopicAttributesResponse>`)
	default:
		q.take(w, form)
	}
}

func say(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>Signed with %s</Message></Error></ErrorResponse>`, code, secret)
}

// entriesOf reads the entries of a request in the query protocol.
func entriesOf(form url.Values) (entries []entry) {
	for n := 1; ; n++ {
		at := fmt.Sprintf("PublishBatchRequestEntries.member.%d.", n)
		if !form.Has(at + "Id") {
			return entries
		}
		e := entry{ID: form.Get(at + "Id"), Message: form.Get(at + "Message"), Group: form.Get(at + "MessageGroupId"), Deduplication: form.Get(at + "MessageDeduplicationId"), Attributes: map[string]string{}}
		for i := 1; form.Has(fmt.Sprintf("%sMessageAttributes.entry.%d.Name", at, i)); i++ {
			of := fmt.Sprintf("%sMessageAttributes.entry.%d.", at, i)
			e.Attributes[form.Get(of+"Name")] = form.Get(of+"Value.DataType") + ":" + form.Get(of+"Value.StringValue")
		}
		entries = append(entries, e)
	}
}

func (q *topic) take(w http.ResponseWriter, form url.Values) {
	entries := entriesOf(form)
	if len(entries) == 0 || len(entries) > 10 {
		say(w, http.StatusBadRequest, "TooManyEntriesInBatchRequest")
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	total := 0
	for _, e := range entries {
		total += len(e.Message)
	}
	if total > q.bound {
		say(w, http.StatusBadRequest, "BatchRequestTooLong")
		return
	}
	q.requests++
	var taken, failed strings.Builder
	for _, e := range entries {
		code := ""
		if q.each != nil {
			code = q.each(&e)
		}
		switch code {
		case "nothing":
		case "":
			if !q.isFIFO || !q.known[e.Deduplication] {
				q.messages = append(q.messages, e)
			}
			q.known[e.Deduplication] = true
			fmt.Fprintf(&taken, `<member><Id>%s</Id><MessageId>m</MessageId></member>`, e.ID)
		default:
			fmt.Fprintf(&failed, `<member><Id>%s</Id><Code>%s</Code><SenderFault>true</SenderFault><Message>Signed with %s</Message></member>`, e.ID, code, secret)
		}
	}
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<PublishBatchResponse><PublishBatchResult><Successful>%s</Successful><Failed>%s</Failed></PublishBatchResult></PublishBatchResponse>`, taken.String(), failed.String())
}

// taken returns what was published.
func (q *topic) taken() []entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}

func (q *topic) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range q.taken() {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(m.Message), &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (q *topic) settings(more string) string {
	suffix := ""
	if q.isFIFO {
		suffix = ".fifo"
	}
	return fmt.Sprintf(`{"topicARN":"arn:aws:sns:eu-west-1:123456789012:mail%s","endpoint":%q,`+
		`"authentication":{"accessKeyID":"AKIAEXAMPLE","secretAccessKey":%q}%s}`, suffix, q.URL, secret, more)
}

// refusing has the whole of each request refused.
func (q *topic) refusing(status int, code string, header ...string) func(*testing.T) {
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

func (q *topic) harness(t *testing.T) sinktest.Harness {
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
			sinktest.Permanent:     func(*testing.T) { q.set(func() { q.each = func(*entry) string { return "BatchRequestTooLong" } }) },
			sinktest.Throttled:     q.refusing(http.StatusBadRequest, "Throttled", "Retry-After", "7"),
			sinktest.Transient:     q.refusing(http.StatusInternalServerError, "InternalError"),
			sinktest.BadCredential: q.refusing(http.StatusForbidden, "AuthorizationError"),
			sinktest.NoDestination: q.refusing(http.StatusNotFound, "NotFound"),
			sinktest.Unreachable:   func(*testing.T) { q.Close() },
		},
	}
}
