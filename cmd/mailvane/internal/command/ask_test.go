package command

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
)

// pretender is an admin API with one dead letter, 7, and one sink.
type pretender struct {
	shared string
	sink   admin.Sink

	mu      sync.Mutex
	retried int
}

func (p *pretender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out any
	switch r.URL.Path {
	case admin.PathJournal:
		out = admin.Journal{Shared: p.shared}
	case admin.PathSinks:
		out = []admin.Sink{p.sink}
	case admin.PathDeadLetters:
		out = []admin.DeadLetter{{ID: 7, Cause: "Refused"}}
	case admin.PathRetry:
		p.retried++
		out = admin.Result{Done: 1}
	default:
		http.NotFound(w, r)
		return
	}
	if err := json.MarshalWrite(w, out); err != nil {
		panic(err)
	}
}

func clientOf(t *testing.T, address string) *admin.Client {
	t.Helper()
	c, err := localClient(address, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pretenders returns receivers of which the first two share a journal.
func pretenders(t *testing.T) ([]*pretender, []*inspect.Receiver) {
	t.Helper()
	all := []*pretender{{shared: "a"}, {shared: "a"}, {}, {}, {shared: "b"}}
	receivers := make([]*inspect.Receiver, len(all))
	for i, p := range all {
		server := httptest.NewServer(p)
		t.Cleanup(server.Close)
		receivers[i] = &inspect.Receiver{Client: clientOf(t, strings.TrimPrefix(server.URL, "http://"))}
	}
	return all, receivers
}

func TestASharedJournalIsAskedOnce(t *testing.T) {
	t.Parallel()
	all, receivers := pretenders(t)
	s := selection{all: true}
	work, err := s.choose(t.Context(), &scope{receivers: receivers}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range work {
		if _, err := part.receiver.Retry(t.Context(), part.ids); err != nil {
			t.Fatal(err)
		}
	}
	var retried []int
	for _, p := range all {
		retried = append(retried, p.retried)
	}
	if diff := cmp.Diff([]int{1, 0, 1, 1, 1}, retried); diff != "" {
		t.Error(diff)
	}
}

func TestAReceiverThatDoesNotAnswerHidesNoOther(t *testing.T) {
	t.Parallel()
	_, receivers := pretenders(t)
	receivers[2] = &inspect.Receiver{Client: clientOf(t, "127.0.0.1:1")}
	s := selection{all: true}
	found, err := s.each(t.Context(), receivers)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("error: %v", err)
	}
	if len(found) != 3 {
		t.Errorf("%d journals answered", len(found))
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	s := &scope{receivers: []*inspect.Receiver{{Client: clientOf(t, "127.0.0.1:1")}}}
	for text, want := range map[string]string{"7": "", "pod/7": "is not the ID", "x": "is not the ID", "-1": "is not the ID", "": "is not the ID", "7/": "is not the ID"} {
		_, id, err := s.resolve(text)
		if want == "" && (err != nil || id != 7) || want != "" && (err == nil || !strings.Contains(fmt.Sprint(err), want)) {
			t.Errorf("%q: %d %v", text, id, err)
		}
	}
	if _, err := s.named([]string{"1", "x"}); err == nil {
		t.Error("one wrong reference of two was taken")
	}
	if got := s.reference(s.receivers[0], 7); got != "7" {
		t.Error(got)
	}
	if err := s.find(t.Context(), io.Discard); err != nil || len(s.receivers) != 1 {
		t.Error("one receiver by its address became others")
	}
}
