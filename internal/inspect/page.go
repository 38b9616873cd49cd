package inspect

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

// Page is a part of what a search selects, of all receivers together, the latest first.
type Page struct {
	Events []admin.HistoryEvent
	// Next is where the next page begins; empty = nothing is left. Events that come later do not move it.
	Next string
	// Short says that looking on would have taken too long: there may be more behind Next, also where there are no events.
	Short bool
}

// ErrPosition says that the text of a position is none.
var ErrPosition = errors.New("the position cannot be read; begin without one")

// At returns the page of a search at a position, which is empty or the Next of another. Each of several receivers has a part of it, so that a page
// costs what one costs; within it events are in order. What a receiver does not say is missing, and the error says so.
func At(ctx context.Context, receivers []*Receiver, query url.Values, position string, limit int) (Page, error) {
	cursors, err := positionOf(position)
	if err != nil {
		return Page{}, err
	}
	var asked []*Receiver
	for _, r := range receivers {
		if _, begun := cursors[r.Name]; begun || position == "" {
			asked = append(asked, r)
		}
	}
	share := max(1, limit/max(1, len(asked)))
	answers, err := Ask(ctx, asked, func(ctx context.Context, r *Receiver) (admin.HistoryPage, error) {
		query := cloned(query)
		query.Set(admin.QueryLimit, strconv.Itoa(min(share, history.MaxLimit)))
		if cursor := cursors[r.Name]; cursor != "" {
			query.Set(admin.QueryCursor, cursor)
		}
		return r.History(ctx, query)
	})
	var page Page
	var said Answers[[]admin.HistoryEvent]
	next := map[string]string{}
	for _, answer := range answers {
		said = append(said, Answer[[]admin.HistoryEvent]{From: answer.From, Said: answer.Said.Events})
		page.Short = page.Short || answer.Said.Short
		if answer.Said.Next != "" {
			next[answer.From.Name] = answer.Said.Next
		}
	}
	page.Events = mergeHistory(said, limit+len(asked))
	if len(next) > 0 {
		page.Next = encodePosition(next)
	}
	return page, err
}

func encodePosition(cursors map[string]string) string {
	text, err := json.Marshal(cursors, json.Deterministic(true))
	if err != nil {
		return "" // texts are always encoded
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func positionOf(position string) (map[string]string, error) {
	cursors := map[string]string{}
	if position == "" {
		return cursors, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(position)
	if err != nil || json.Unmarshal(text, &cursors) != nil {
		return nil, ErrPosition
	}
	return cursors, nil
}
