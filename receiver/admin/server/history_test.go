package server_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	historystore "github.com/mailvane/mailvane/receiver/history/embedded"
	"github.com/mailvane/mailvane/receiver/history/historytest"
	"github.com/mailvane/mailvane/receiver/journal"
)

// remembering is a harness with a history of three events, the last of which a sink has refused.
func remembering(t *testing.T) *harness {
	t.Helper()
	h := start(t)
	store, err := historystore.Open(historystore.Options{Dir: "history", FS: vfs.NewMem(), Present: historytest.At, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	batch := history.Batch{Refusals: []history.Refusal{{At: historytest.At(), Endpoint: "mail/ee", Reason: "signature"}}}
	for n := range 3 {
		batch.Events = append(batch.Events, historytest.Event(n, func(e *event.Event) {
			e.Sender, e.Subject, e.Reason = "sender@example.com", "Ada's order", "550 no such user r@example.com"
		}))
	}
	batch.Attempts = []history.Attempt{{
		Sink: "mail/crm", At: historytest.At(), Outcome: history.Dead, Answer: "no contact r2@example.com",
		Events: []history.Sent{{Key: history.KeyOf([]byte("00000000000000000000000000000002"), []byte("mail/ee")), AcceptedAt: batch.Events[2].AcceptedAt}},
	}}
	if err := store.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	h.history = store
	h.serve(h.journal)
	return h
}

func (h *harness) search(right access.Right, query url.Values) (admin.HistoryPage, string) {
	h.t.Helper()
	w := h.do(request{http.MethodGet, admin.PathHistory + "?" + query.Encode(), "", "", right})
	var page admin.HistoryPage
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return page, w.Body.String()
}

// TestHistoryIsMaskedForAllButOneRight reads events with each right.
func TestHistoryIsMaskedForAllButOneRight(t *testing.T) {
	t.Parallel()
	h := remembering(t)
	for _, right := range access.Rights() {
		page, text := h.search(right, url.Values{admin.QueryState: {"DeadLetter"}, admin.QueryPayload: {"true"}})
		if len(page.Events) != 1 || page.Events[0].State != "DeadLetter" || page.Events[0].MessageID != "m2@example.com" || page.Events[0].Attempts[0].Outcome != "DeadLetter" {
			t.Fatalf("%s: %s", right, text)
		}
		open := right == access.Privacy
		for _, personal := range []string{"r2@example.com", "sender@example.com", "Ada", "r@example.com"} {
			if strings.Contains(text, personal) != open {
				t.Errorf("%s, %s: %s", right, personal, text)
			}
		}
		if page.Events[0].Masked == open || (page.Events[0].Payload != "") != open {
			t.Errorf("%s: %+v", right, page.Events[0])
		}
	}
}

// TestSearchesThatAreWrong are told what to change.
func TestSearchesThatAreWrong(t *testing.T) {
	t.Parallel()
	h := remembering(t)
	for name, c := range map[string]struct {
		right  access.Right
		query  string
		status int
		say    string
	}{
		"no token":                    {0, "", http.StatusUnauthorized, "token"},
		"a recipient, as a viewer":    {access.Viewer, "recipient=r1%40example.com", http.StatusForbidden, "needs the right privacy; the token gives the right viewer"},
		"a recipient, as an operator": {access.Operator, "recipient=r1%40example.com", http.StatusForbidden, "needs the right privacy"},
		"a recipient, with the right": {access.Privacy, "recipient=R1%40example.com", http.StatusOK, "r1@example.com"},
		"a state that is none":        {access.Viewer, "state=dead", http.StatusBadRequest, "is none of [Delivered DeadLetter"},
		"an empty page":               {access.Viewer, "limit=0", http.StatusBadRequest, "limit must be between 1 and 1000"},
		"too long a page":             {access.Viewer, "limit=1001", http.StatusBadRequest, "limit must be between"},
		"a time that is none":         {access.Viewer, "since=yesterday", http.StatusBadRequest, "since must be a time such as"},
		"a cursor from elsewhere":     {access.Viewer, "cursor=x.1", http.StatusBadRequest, "begin without one"},
		"a message id of any bytes":   {access.Viewer, "message=%00%ff%1b%5B2J<b>", http.StatusOK, `"events":[]`},
		"everything":                  {access.Viewer, "", http.StatusOK, "m0@example.com"},
	} {
		w := h.do(request{http.MethodGet, admin.PathHistory + "?" + c.query, "", "", c.right})
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.say) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestRefusalsAreListed(t *testing.T) {
	t.Parallel()
	h := remembering(t)
	if w := h.do(request{http.MethodGet, admin.PathRefusals, "", "", access.Viewer}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"reason":"signature"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.do(request{http.MethodGet, admin.PathRefusals + "?limit=x", "", "", access.Viewer}); w.Code != http.StatusBadRequest {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestErase erases a recipient from events and from dead letters, those that could not be decoded among them.
func TestErase(t *testing.T) {
	t.Parallel()
	h := remembering(t)
	for _, payload := range []string{`{"to":"\u003cR1@Example.com\u003e"}`, "to=%3Cr1%40example.com%3E&x=1", `{"to":"bar1@example.com"}`, `{"to":"r1@example.com.au.invalid"}`, `no such user r1@example.com.`, string(historytest.Event(1, nil).Payload), string(historytest.Event(2, nil).Payload)} {
		letter := journal.DeadLetter{Cause: journal.CauseUndecodable, Endpoint: "mail/ee", Payload: []byte(payload)}
		if _, err := h.journal.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
			t.Fatal(err)
		}
	}
	erase := func(right access.Right, body string) (int, string) {
		w := h.do(request{http.MethodPost, admin.PathErase, "application/json", body, right})
		return w.Code, w.Body.String()
	}
	if status, text := erase(access.Operator, `{"recipient":"r1@example.com"}`); status != http.StatusForbidden || !strings.Contains(text, "needs the right privacy") {
		t.Errorf("an operator: %d %s", status, text)
	}
	for _, wrong := range []string{`{}`, `{"recipient":" "}`, `r1@example.com`} {
		if status, _ := erase(access.Privacy, wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, status)
		}
	}
	want := `{"events":1,"deadLetters":4}`
	for _, body := range []string{`{"recipient":"r1@EXAMPLE.com","countAlone":true}`, `{"recipient":"r1@EXAMPLE.com"}`} {
		if status, text := erase(access.Privacy, body); status != http.StatusOK || text != want {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, text := erase(access.Privacy, `{"recipient":"r1@example.com"}`); status != http.StatusOK || text != `{"events":0,"deadLetters":0}` {
		t.Errorf("again: %d %s", status, text)
	}
	if page, _ := h.search(access.Privacy, nil); len(page.Events) != 2 || h.journal.Stats().DeadLetters != 3 {
		t.Errorf("%d events and %d dead letters are left", len(page.Events), h.journal.Stats().DeadLetters)
	}
	if log := h.log.String(); strings.Contains(log, "r1@") || !strings.Contains(log, "a recipient was erased") || !strings.Contains(log, "events=1 deadLetters=4 right=privacy") {
		t.Errorf("the log says %s", log)
	}
}

// TestNoHistory asks a receiver that keeps none, and one whose history cannot be opened.
func TestNoHistory(t *testing.T) {
	t.Parallel()
	h := start(t)
	for problem, want := range map[string]string{"": "keeps no history", "it is newer": "it is newer"} {
		h.historyProblem = problem
		h.serve(h.journal)
		for _, path := range []string{admin.PathHistory, admin.PathRefusals} {
			if w := h.do(request{http.MethodGet, path, "", "", access.Viewer}); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		w := h.do(request{http.MethodPost, admin.PathErase, "application/json", `{"recipient":"a@example.com"}`, access.Privacy})
		if (w.Code == http.StatusOK) != (problem == "") {
			t.Errorf("erasing: %d %s", w.Code, w.Body)
		}
	}
}

// TestActionsAreTold retries and drops dead letters of events that the history has.
func TestActionsAreTold(t *testing.T) {
	t.Parallel()
	h := remembering(t)
	var told []history.Attempt
	h.attempted = func(a history.Attempt) { told = append(told, a) }
	letter := journal.DeadLetter{Cause: journal.CauseRefused, Endpoint: "mail/ee", Sink: "mail/crm", EventID: "00000000000000000000000000000002", Payload: []byte("{}")}
	for range 2 {
		if _, err := h.journal.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
			t.Fatal(err)
		}
	}
	h.requeue = func(d *journal.DeadLetter) (journal.Batch, error) {
		return journal.Batch{Resolves: []uint64{d.ID}}, nil
	}
	h.result(h.post(admin.PathRetry, access.Operator, 1))
	h.result(h.post(admin.PathDrop, access.Privacy, 2, 99))
	if len(told) != 2 || told[0].Outcome != history.Retried || told[1].Outcome != history.Dropped || told[1].Answer != "by right privacy" || told[0].Sink != "mail/crm" {
		t.Fatalf("%+v", told)
	}
	if want := history.KeyOf([]byte(letter.EventID), []byte("/mailvane/mail/ee")); told[0].Events[0].Key != want {
		t.Errorf("the key is %x, want %x", told[0].Events[0].Key, want)
	}
}
