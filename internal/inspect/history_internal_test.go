package inspect

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/admin"
)

// pod is the history of one pod: n events, one a second from a second on.
type pod struct {
	from, n, step int
	asked         []string
}

func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.URL.Query().Encode())
	limit, _ := strconv.Atoi(r.URL.Query().Get(admin.QueryLimit))
	if limit == 0 {
		limit = 100
	}
	forward := r.URL.Query().Get(admin.QueryForward) == "true"
	at := p.n // behind the last
	if forward {
		at = -1
	}
	if cursor := r.URL.Query().Get(admin.QueryCursor); cursor != "" {
		at, _ = strconv.Atoi(cursor)
	}
	page := admin.HistoryPage{Events: []admin.HistoryEvent{}}
	for len(page.Events) < min(limit, 2) { // no page has more, whatever is asked for
		if forward {
			at++
		} else {
			at--
		}
		if at < 0 || at >= p.n {
			break
		}
		page.Events = append(page.Events, admin.HistoryEvent{ID: fmt.Sprint(p.from + at*p.step), AcceptedAt: time.Unix(int64(p.from+at*p.step), 0).UTC()})
	}
	if forward {
		page.Next = strconv.Itoa(min(at, p.n-1))
	} else if at > 0 {
		page.Next = strconv.Itoa(at)
	}
	if err := json.MarshalWrite(w, page); err != nil {
		panic(err)
	}
}

func receiverOf(t *testing.T, name string, h http.Handler) *Receiver {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &Receiver{Name: name, Client: &admin.Client{BaseURL: server.URL, HTTP: server.Client()}}
}

func idsOf(events []admin.HistoryEvent) string {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

// TestSearch merges pods by time, asks each for no more pages than it takes, and names the one that does not answer.
func TestSearch(t *testing.T) {
	t.Parallel()
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "on fire", http.StatusServiceUnavailable) })
	even, odd := &pod{from: 0, n: 10, step: 2}, &pod{from: 1, n: 10, step: 2}
	receivers := []*Receiver{receiverOf(t, "mail/a", even), receiverOf(t, "mail/b", broken), receiverOf(t, "mail/c", odd)}
	query := url.Values{admin.QueryType: {"email.bounced"}}
	found, err := Search(t.Context(), receivers, query, 5)
	if got := idsOf(found); got != "19 18 17 16 15" {
		t.Errorf("%s", got)
	}
	if err == nil || !strings.Contains(err.Error(), "mail/b: on fire") || strings.Contains(err.Error(), "mail/a") {
		t.Errorf("%v", err)
	}
	if len(even.asked) != 3 || !strings.Contains(even.asked[2], "type=email.bounced") {
		t.Errorf("asked %q", even.asked)
	}
	if len(query) != 1 {
		t.Errorf("the query became %v", query)
	}
	if found, _ := Search(t.Context(), receivers, query, 100); len(found) != 20 {
		t.Errorf("%d events of all", len(found))
	}
}

// TestFollower sees what comes to each pod, once and in the order of time.
func TestFollower(t *testing.T) {
	t.Parallel()
	even, odd := &pod{from: 0, n: 3, step: 2}, &pod{from: 1, n: 3, step: 2}
	receivers := []*Receiver{receiverOf(t, "mail/a", even), receiverOf(t, "mail/c", odd)}
	f := Follower{Query: url.Values{}}
	// The stand-in begins where a page that goes forward ends, and the second pod has not answered yet.
	f.cursors = map[string]string{"mail/a": "2"}
	if found, err := f.Next(t.Context(), receivers); len(found) != 0 || err != nil || len(f.cursors) != 2 {
		t.Errorf("%s %v %v", idsOf(found), err, f.cursors)
	}
	f.cursors["mail/c"] = "2"
	for _, step := range []struct {
		even, odd int
		want      string
	}{{3, 3, ""}, {4, 3, "6"}, {4, 3, ""}, {5, 5, "7 8 9"}} {
		even.n, odd.n = step.even, step.odd
		found, err := f.Next(t.Context(), receivers)
		if got := idsOf(found); got != step.want || err != nil {
			t.Errorf("%q, want %q: %v", got, step.want, err)
		}
	}
}
