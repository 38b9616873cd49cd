package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/admin/server"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// harness is a server over a real journal, and over a receiver that says what the test wants.
type harness struct {
	t       *testing.T
	journal journal.Journal
	server  *server.Server
	handler http.Handler
	log     bytes.Buffer
	// requeue, sinks and endpoints are what the receiver says.
	requeue   func(*journal.DeadLetter) (journal.Batch, error)
	sinks     []admin.Sink
	endpoints error
	// history is what the receiver remembers, and attempted is told of what is done.
	history        history.Store
	historyProblem string
	attempted      func(history.Attempt)
}

func token(right access.Right) string { return strings.Repeat(right.String()+"-", 8) }

func start(t *testing.T) *harness {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	h := &harness{t: t, journal: j}
	h.serve(j)
	return h
}

// serve makes the handler over a journal.
func (h *harness) serve(j journal.Journal) {
	h.t.Helper()
	folder := h.t.TempDir()
	var keys access.Keyring
	for _, right := range access.Rights() {
		if err := os.WriteFile(filepath.Join(folder, right.String()), []byte(token(right)), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	keys.AddFolder(folder)
	h.server = server.New(&server.Receiver{
		Loaded:    func() config.Loaded { return config.Loaded{Hash: "h"} },
		Endpoints: func() ([]admin.Endpoint, error) { return []admin.Endpoint{}, h.endpoints },
		Sinks:     func() []admin.Sink { return h.sinks },
		Requeue:   func(d *journal.DeadLetter) (journal.Batch, error) { return h.requeue(d) },
		History:   h.history, HistoryProblem: h.historyProblem,
		Attempted: func(a history.Attempt) {
			if h.attempted != nil {
				h.attempted(a)
			}
		},
	}, j, slog.New(slog.NewTextHandler(&h.log, nil)))
	mux := http.NewServeMux()
	h.server.Register(mux, &access.Guard{Keyring: &keys, Refused: func(string) {}})
	h.handler = mux
}

// request is one to the API.
type request struct {
	method, path, contentType, body string
	right                           access.Right
}

func (h *harness) do(r request) *httptest.ResponseRecorder {
	h.t.Helper()
	q := httptest.NewRequestWithContext(h.t.Context(), r.method, "http://localhost"+r.path, strings.NewReader(r.body))
	if r.right != 0 {
		q.Header.Set("Authorization", "Bearer "+token(r.right))
	}
	q.Header.Set("Content-Type", r.contentType)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, q)
	return w
}

// post sends IDs.
func (h *harness) post(path string, right access.Right, ids ...uint64) *httptest.ResponseRecorder {
	h.t.Helper()
	body, err := json.Marshal(admin.IDs{IDs: ids})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(request{http.MethodPost, path, "application/json", string(body), right})
}

func (h *harness) result(w *httptest.ResponseRecorder) (r admin.Result) {
	h.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		h.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return r
}

// letters stores dead letters and returns their IDs.
func (h *harness) letters(reasons ...string) (ids []uint64) {
	h.t.Helper()
	for _, reason := range reasons {
		letter := journal.DeadLetter{Cause: journal.CauseUndecodable, Endpoint: "mail/ee", Reason: reason, Payload: []byte("a@example.com"), At: time.Unix(1771976461, 0)}
		if _, err := h.journal.Append(h.t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
			h.t.Fatal(err)
		}
	}
	all, err := h.journal.DeadLetters().List(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range all {
		ids = append(ids, all[i].ID)
	}
	return ids
}

// TestRequestsThatAreWrong are told what to change, and change nothing.
func TestRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	h := start(t)
	id := strconv.FormatUint(h.letters("bad")[0], 10)
	for name, c := range map[string]struct {
		request
		status int
		say    string
	}{
		"no token":            {request{http.MethodGet, admin.PathSinks, "", "", 0}, http.StatusUnauthorized, "token"},
		"a viewer retries":    {request{http.MethodPost, admin.PathRetry, "application/json", `{"ids":[` + id + `]}`, access.Viewer}, http.StatusForbidden, "operator"},
		"a form":              {request{http.MethodPost, admin.PathDrop, "text/plain", `{"ids":[` + id + `]}`, access.Privacy}, http.StatusUnsupportedMediaType, "application/json"},
		"no JSON":             {request{http.MethodPost, admin.PathDrop, "application/json", `ids=` + id, access.Privacy}, http.StatusBadRequest, `{"ids":[...]}`},
		"a number":            {request{http.MethodPost, admin.PathDrop, "application/json", id, access.Privacy}, http.StatusBadRequest, `{"ids":[...]}`},
		"a negative ID":       {request{http.MethodPost, admin.PathDrop, "application/json", `{"ids":[-1]}`, access.Privacy}, http.StatusBadRequest, `{"ids":[...]}`},
		"half an object":      {request{http.MethodPost, admin.PathDrop, "application/json", `{"ids":[` + id, access.Privacy}, http.StatusBadRequest, `{"ids":[...]}`},
		"too large":           {request{http.MethodPost, admin.PathDrop, "application/json", `{"ids":[` + strings.Repeat("1,", 40_000) + `1]}`, access.Privacy}, http.StatusBadRequest, "large"},
		"a page from nowhere": {request{http.MethodGet, admin.PathDeadLetters + "?after=x", "", "", access.Viewer}, http.StatusBadRequest, "after must be"},
		"an empty page":       {request{http.MethodGet, admin.PathDeadLetters + "?limit=0", "", "", access.Viewer}, http.StatusBadRequest, "limit must be between 1 and 1000"},
		"too long a page":     {request{http.MethodGet, admin.PathDeadLetters + "?limit=1001", "", "", access.Viewer}, http.StatusBadRequest, "limit must be between 1 and 1000"},
		"an ID that is none":  {request{http.MethodGet, admin.PathDeadLetters + "/x", "", "", access.Viewer}, http.StatusBadRequest, "is a number"},
		"an ID that is gone":  {request{http.MethodGet, admin.PathDeadLetters + "/999", "", "", access.Viewer}, http.StatusNotFound, "no dead letter 999"},
		"reading by POST":     {request{http.MethodPost, admin.PathSinks, "application/json", "{}", access.Privacy}, http.StatusMethodNotAllowed, ""},
		"acting by GET":       {request{http.MethodGet, admin.PathDrop, "", "", access.Privacy}, http.StatusBadRequest, "is a number"},
		"a path that is not":  {request{http.MethodGet, "/v1/secrets", "", "", access.Privacy}, http.StatusNotFound, ""},
		"a path with dots":    {request{http.MethodGet, "/v1/../v1/sinks", "", "", 0}, http.StatusTemporaryRedirect, ""},
		"one that is right":   {request{http.MethodGet, admin.PathConfig, "", "", access.Viewer}, http.StatusOK, `"h"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := h.do(c.request)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.say) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	if n := h.journal.Stats().DeadLetters; n != 1 {
		t.Errorf("%d dead letters are left", n)
	}
}

// TestPages reads dead letters page by page, masked for all but one right.
func TestPages(t *testing.T) {
	t.Parallel()
	h := start(t)
	ids := h.letters("no such user b@example.com", "2", "3", "4", "5")
	for _, right := range access.Rights() {
		var got []uint64
		for after := uint64(0); ; {
			w := h.do(request{http.MethodGet, admin.PathDeadLetters + "?limit=2&after=" + strconv.FormatUint(after, 10), "", "", right})
			var page []admin.DeadLetter
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page) > 2 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if len(page) == 0 {
				break
			}
			if open := strings.Contains(w.Body.String(), "b@example.com"); open != (right == access.Privacy && after == 0) {
				t.Errorf("%s reads %s", right, w.Body)
			}
			for i := range page {
				got, after = append(got, page[i].ID), page[i].ID
			}
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("%s: %s", right, diff)
		}
		one := h.do(request{http.MethodGet, admin.PathDeadLetters + "/" + strconv.FormatUint(ids[0], 10), "", "", right})
		if one.Code != http.StatusOK || one.Header().Get("Cache-Control") != "no-store" || strings.Contains(one.Body.String(), "example.com") != (right == access.Privacy) {
			t.Errorf("%s reads one: %d %s", right, one.Code, one.Body)
		}
	}
}

// TestActions retries and drops: what fails is told by ID, once however often it is named, and masked; who acted is logged.
func TestActions(t *testing.T) {
	t.Parallel()
	h := start(t)
	ids := h.letters("good", "bad")
	h.requeue = func(d *journal.DeadLetter) (journal.Batch, error) {
		if d.Reason == "bad" {
			return journal.Batch{}, errors.New("fails again: c@example.com")
		}
		return journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/crm"}, Payload: []byte("{}")}}, Resolves: []uint64{d.ID}}, nil
	}
	got := h.result(h.post(admin.PathRetry, access.Operator, ids[0], ids[1], ids[1], 999))
	want := admin.Result{Done: 1, Failed: map[uint64]string{ids[1]: "fails again: ***", 999: journal.ErrNotFound.Error()}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := h.result(h.post(admin.PathRetry, access.Privacy, ids[1])); !strings.Contains(got.Failed[ids[1]], "c@example.com") {
		t.Errorf("in clear text: %+v", got)
	}
	if got := h.result(h.post(admin.PathDrop, access.Operator, ids[1], 999)); got.Done != 1 {
		t.Errorf("dropped: %+v", got)
	}
	if stats := h.journal.Stats(); stats.DeadLetters != 0 || stats.Pending["mail/crm"] != 1 {
		t.Errorf("%+v", stats)
	}
	for _, want := range []string{"action=retry done=1 failed=2 right=operator", "action=drop done=1 failed=0 right=operator"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, h.log.String())
		}
	}
}

// TestNothingIsActedOnWhileAReceiverStops lets what is under way end and refuses the rest.
func TestNothingIsActedOnWhileAReceiverStops(t *testing.T) {
	t.Parallel()
	h := start(t)
	ids := h.letters("one")
	begun, goOn := make(chan struct{}), make(chan struct{})
	h.requeue = func(*journal.DeadLetter) (journal.Batch, error) {
		close(begun)
		<-goOn
		return journal.Batch{}, errors.New("ended")
	}
	var group sync.WaitGroup
	group.Go(func() {
		if got := h.result(h.post(admin.PathRetry, access.Privacy, ids...)); got.Failed[ids[0]] != "ended" {
			t.Errorf("what was under way: %+v", got)
		}
	})
	<-begun
	h.server.Stop()
	if w := h.post(admin.PathDrop, access.Privacy, ids...); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "about to stop") {
		t.Errorf("while it stops: %d %s", w.Code, w.Body)
	}
	drained := make(chan struct{})
	group.Go(func() {
		h.server.Drain()
		close(drained)
	})
	select {
	case <-drained:
		t.Error("drained while a retry is under way")
	default:
	}
	close(goOn)
	<-drained
	group.Wait()
	if w := h.do(request{http.MethodGet, admin.PathDeadLetters, "", "", access.Viewer}); w.Code != http.StatusOK {
		t.Errorf("reading while it stops: %d", w.Code)
	}
}

// broken is a journal whose dead letters cannot be read.
type broken struct{ journal.Journal }

func (broken) DeadLetters() journal.DeadLetters { return unreadable{} }

func (broken) SharedName() string { return "nats://events" }

// unreadable are dead letters of it.
type unreadable struct{ journal.DeadLetters }

func (unreadable) List(context.Context, uint64, int) ([]journal.DeadLetter, error) {
	return nil, journal.ErrUnavailable
}

func (unreadable) Get(context.Context, uint64) (journal.DeadLetter, error) {
	return journal.DeadLetter{}, journal.ErrUnavailable
}

func (unreadable) Drop(context.Context, []uint64) (int, error) { return 0, journal.ErrUnavailable }

// TestWhatCannotBeReadIsSaid has a journal that gives nothing now: that is no empty list.
func TestWhatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.serve(broken{Journal: h.journal})
	h.endpoints = errors.New("cannot count")
	for path, want := range map[string]int{
		admin.PathDeadLetters: http.StatusServiceUnavailable, admin.PathDeadLetters + "/1": http.StatusServiceUnavailable, admin.PathEndpoints: http.StatusInternalServerError,
	} {
		if w := h.do(request{http.MethodGet, path, "", "", access.Privacy}); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{admin.PathRetry, admin.PathDrop} {
		if got := h.result(h.post(path, access.Privacy, 1, 2)); got.Done != 0 || len(got.Failed) != 2 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if w := h.do(request{http.MethodGet, admin.PathJournal, "", "", access.Viewer}); !strings.Contains(w.Body.String(), "nats://events") {
		t.Errorf("a shared journal: %s", w.Body)
	}
}

// TestSinksAreMasked reads what a destination said about an event.
func TestSinksAreMasked(t *testing.T) {
	t.Parallel()
	h := start(t)
	for _, right := range access.Rights() {
		h.sinks = []admin.Sink{{Name: "mail/crm", LastError: "no such user d@example.com"}}
		w := h.do(request{http.MethodGet, admin.PathSinks, "", "", right})
		if strings.Contains(w.Body.String(), "d@example.com") != (right == access.Privacy) || !strings.Contains(w.Body.String(), "mail/crm") {
			t.Errorf("%s reads %s", right, w.Body)
		}
	}
}

// TestRetriesAreBounded has a thousand retries that all wait, of which few are under way at a time.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		underWay, most := 0, 0
		s := server.New(&server.Receiver{Requeue: func(*journal.DeadLetter) (journal.Batch, error) {
			mu.Lock()
			underWay++
			most = max(most, underWay)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			underWay--
			mu.Unlock()
			return journal.Batch{}, errors.New("again")
		}}, found{}, slog.New(slog.DiscardHandler))
		var retry access.Handler
		for _, route := range s.Routes() {
			if route.Pattern == "POST "+admin.PathRetry {
				retry = route.Serve
			}
		}
		ids := make([]string, 200)
		for i := range ids {
			ids[i] = strconv.Itoa(i + 1)
		}
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, admin.PathRetry, strings.NewReader(`{"ids":[`+strings.Join(ids, ",")+`]}`))
		q.Header.Set("Content-Type", "application/json")
		retry(httptest.NewRecorder(), q, access.Privacy)
		if most == 0 || most > 32 {
			t.Errorf("%d retries at once", most)
		}
	})
}

// found is a journal that has every dead letter.
type found struct{ journal.Journal }

func (found) DeadLetters() journal.DeadLetters { return everything{} }

// everything are dead letters of it.
type everything struct{ journal.DeadLetters }

func (everything) Get(_ context.Context, id uint64) (journal.DeadLetter, error) {
	return journal.DeadLetter{ID: id}, nil
}
