package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/history"
)

// owedAllowance is how much earlier than the oldest that a sink is owed an event must have been accepted for it to be owed no more: events do
// not come in the order of their times to the millisecond.
const owedAllowance = time.Minute

// historyStore returns the history, or says that there is none.
func (s *Server) historyStore(w http.ResponseWriter) history.Store {
	if s.receiver.History == nil {
		text := "this receiver keeps no history"
		if s.receiver.HistoryProblem != "" {
			text = s.receiver.HistoryProblem
		}
		http.Error(w, text, http.StatusServiceUnavailable)
	}
	return s.receiver.History
}

func (s *Server) serveHistory(w http.ResponseWriter, q *http.Request, has access.Right) {
	store := s.historyStore(w)
	if store == nil {
		return
	}
	query, err := parseQuery(q.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if query.Recipient != "" && !has.Includes(access.Privacy) {
		access.NotAllowed(access.Privacy, has).Write(w)
		return
	}
	query.Owed = s.owed()
	page, err := store.Search(q.Context(), query)
	switch {
	case errors.Is(err, history.ErrCursor):
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer(w, pageOf(&page, &query, q.URL.Query().Get(admin.QueryPayload) == "true", has))
}

func pageOf(page *history.Page, query *history.Query, payload bool, has access.Right) admin.HistoryPage {
	out := admin.HistoryPage{Events: make([]admin.HistoryEvent, 0, len(page.Events)), Next: page.Next, Short: page.Short}
	for i := range page.Events {
		view := admin.NewHistoryEvent(&page.Events[i], page.Events[i].State(query.Owed), payload)
		if !has.Includes(access.Privacy) {
			view.Mask()
		}
		out.Events = append(out.Events, view)
	}
	return out
}

// owed returns what tells whether a sink may still be owed an event; nil where that cannot be told, as of a journal that others share.
func (s *Server) owed() func(sink string, acceptedAt time.Time) bool {
	if _, shared := s.journal.(interface{ SharedName() string }); shared {
		return nil
	}
	stats, now := s.journal.Stats(), s.journal.Present()
	if stats.Problem != "" {
		return nil
	}
	return func(sink string, acceptedAt time.Time) bool {
		oldest, some := stats.OldestAccepted[sink]
		if !some {
			if stats.Pending[sink] > 0 {
				return true
			}
			oldest = now
		}
		return acceptedAt.Add(owedAllowance).After(oldest)
	}
}

// parseQuery reads the parameters of a search. The error says for people what to write.
func parseQuery(v url.Values) (q history.Query, err error) {
	q = history.Query{
		ID: v.Get(admin.QueryID), Recipient: v.Get(admin.QueryRecipient), Message: v.Get(admin.QueryMessage), Type: v.Get(admin.QueryType),
		Endpoint: v.Get(admin.QueryEndpoint), Sink: v.Get(admin.QuerySink), Code: v.Get(admin.QueryCode), Cursor: v.Get(admin.QueryCursor),
		Forward: v.Get(admin.QueryForward) == "true", Limit: history.DefaultLimit,
	}
	for _, text := range []*string{&q.ID, &q.Recipient, &q.Message} {
		*text = strings.ToValidUTF8(*text, "\ufffd") // as in what is stored
	}
	for _, state := range v[admin.QueryState] {
		if !slices.Contains(history.States(), history.State(state)) {
			return q, fmt.Errorf("state %q is none of %v", state, history.States())
		}
		q.States = append(q.States, history.State(state))
	}
	if text := v.Get(admin.QueryLimit); text != "" {
		q.Limit, err = strconv.Atoi(text)
		if err != nil || q.Limit < 1 || q.Limit > history.MaxLimit {
			return q, fmt.Errorf("limit must be between 1 and %d", history.MaxLimit)
		}
	}
	for name, at := range map[string]*time.Time{admin.QuerySince: &q.Since, admin.QueryUntil: &q.Until} {
		if text := v.Get(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return q, fmt.Errorf("%s must be a time such as 2026-01-02T15:04:05Z", name)
			}
		}
	}
	return q, nil
}

func (s *Server) serveRefusals(w http.ResponseWriter, q *http.Request, _ access.Right) {
	store := s.historyStore(w)
	if store == nil {
		return
	}
	limit, err := strconv.Atoi(firstOf(q.FormValue(admin.QueryLimit), strconv.Itoa(history.DefaultLimit)))
	if err != nil || limit < 1 || limit > history.MaxLimit {
		http.Error(w, fmt.Sprintf("limit must be between 1 and %d", history.MaxLimit), http.StatusBadRequest)
		return
	}
	refused, err := store.Refusals(q.Context(), limit)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer(w, append([]history.Refusal{}, refused...))
}

// serveErase erases a recipient from the history and from the dead letters. It is logged without the recipient.
func (s *Server) serveErase(w http.ResponseWriter, q *http.Request, has access.Right) {
	if q.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in admin.Erasure
	if err := json.UnmarshalRead(http.MaxBytesReader(w, q.Body, maxBody), &in); err != nil || strings.TrimSpace(in.Recipient) == "" {
		http.Error(w, `send {"recipient":"..."}`, http.StatusBadRequest)
		return
	}
	var out admin.Erased
	var err error
	if s.receiver.History != nil {
		out.Events, err = s.receiver.History.Erase(q.Context(), history.Erasure{Recipient: in.Recipient, By: has.String(), CountAlone: in.CountAlone})
	} else if s.receiver.HistoryProblem != "" {
		err = errors.New("the history cannot be erased from: " + s.receiver.HistoryProblem)
	}
	if err == nil {
		out.DeadLetters, err = s.eraseLetters(q.Context(), in.Recipient, in.CountAlone)
	}
	if !in.CountAlone {
		s.logger.Info("a recipient was erased", "events", out.Events, "deadLetters", out.DeadLetters, "right", has.String(), "failed", err != nil)
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("erased %d events and %d dead letters, then: %v", out.Events, out.DeadLetters, err), http.StatusServiceUnavailable)
		return
	}
	answer(w, out)
}
