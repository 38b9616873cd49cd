package inspect

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

// maxShortPages bounds the pages that are asked of one receiver for one search: some 30,000 events each are looked at.
const maxShortPages = 1000

// Search returns up to limit events that a search selects, of all receivers together, the latest first. The histories of pods are their own:
// what one of them does not say is missing, and the error says so.
func Search(ctx context.Context, receivers []*Receiver, query url.Values, limit int) ([]admin.HistoryEvent, error) {
	answers, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) ([]admin.HistoryEvent, error) {
		return searchOne(ctx, r, query, limit)
	})
	return mergeHistory(answers, limit), err
}

// searchOne asks one receiver page after page, until there are as many as were asked for.
func searchOne(ctx context.Context, r *Receiver, query url.Values, limit int) (all []admin.HistoryEvent, err error) {
	query = cloned(query)
	for range maxShortPages {
		query.Set(admin.QueryLimit, strconv.Itoa(min(limit-len(all), history.MaxLimit)))
		page, err := r.History(ctx, query)
		if err != nil {
			return all, err
		}
		all = append(all, page.Events...)
		if page.Next == "" || len(all) >= limit || query.Get(admin.QueryForward) == "true" && len(page.Events) == 0 && !page.Short {
			return all, nil
		}
		query.Set(admin.QueryCursor, page.Next)
	}
	return all, errors.New("the history is too long to be searched for that; say since when, or whose")
}

func cloned(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		out[name] = slices.Clone(values)
	}
	return out
}

// mergeHistory puts what receivers answered in the order of acceptance, the latest first.
func mergeHistory(answers Answers[[]admin.HistoryEvent], limit int) []admin.HistoryEvent {
	all := []admin.HistoryEvent{}
	for _, answer := range answers {
		all = append(all, answer.Said...)
	}
	slices.SortStableFunc(all, func(a, b admin.HistoryEvent) int {
		return cmp.Or(b.AcceptedAt.Compare(a.AcceptedAt), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return all[:min(len(all), limit)]
}

// Follower asks receivers for what comes.
type Follower struct {
	// Query selects.
	Query url.Values
	// Since is from when on a receiver that is asked for the first time tells what it has accepted; zero = from when it is asked.
	Since time.Time

	cursors map[string]string
}

// Begin stands at the end of what there is now.
func (f *Follower) Begin(ctx context.Context, receivers []*Receiver) error {
	f.cursors = map[string]string{}
	answers, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) (string, error) {
		page, err := r.History(ctx, url.Values{admin.QueryLimit: {"1"}})
		return page.Next, err
	})
	for _, answer := range answers {
		f.cursors[answer.From.Name] = answer.Said
	}
	return err
}

// Next returns what has come since, the oldest first.
func (f *Follower) Next(ctx context.Context, receivers []*Receiver) ([]admin.HistoryEvent, error) {
	answers, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) (admin.HistoryPage, error) {
		query := cloned(f.Query)
		query.Set(admin.QueryForward, "true")
		cursor, begun := f.cursors[r.Name]
		if !begun && !f.Since.IsZero() {
			query.Set(admin.QuerySince, f.Since.UTC().Format(time.RFC3339))
		} else if !begun { // it did not answer at the beginning: what it had then is not news
			page, err := r.History(ctx, url.Values{admin.QueryLimit: {"1"}})
			return admin.HistoryPage{Next: page.Next}, err
		}
		if cursor != "" {
			query.Set(admin.QueryCursor, cursor)
		}
		return r.History(ctx, query)
	})
	var said Answers[[]admin.HistoryEvent]
	if f.cursors == nil {
		f.cursors = map[string]string{}
	}
	for _, answer := range answers {
		f.cursors[answer.From.Name] = answer.Said.Next
		said = append(said, Answer[[]admin.HistoryEvent]{From: answer.From, Said: answer.Said.Events})
	}
	all := mergeHistory(said, history.MaxLimit*len(receivers))
	slices.Reverse(all)
	return all, err
}

// Refusals returns the latest requests that were refused, of all receivers together, the latest first.
func Refusals(ctx context.Context, receivers []*Receiver, limit int) ([]history.Refusal, error) {
	answers, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) ([]history.Refusal, error) {
		return r.Refusals(ctx, min(limit, history.MaxLimit))
	})
	all := []history.Refusal{}
	for _, answer := range answers {
		all = append(all, answer.Said...)
	}
	slices.SortStableFunc(all, func(a, b history.Refusal) int { return b.At.Compare(a.At) })
	return all[:min(len(all), limit)], err
}
