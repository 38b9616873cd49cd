package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

const (
	// paramPosition is where a page of events begins.
	paramPosition = "at"
	// followEvery is how often receivers are asked for what has come, and followFor for how long one connection is held.
	followEvery, followFor = 2 * time.Second, 15 * time.Minute
)

// chip is one filter of the events: a parameter of the URL.
type chip struct{ Name, Value, Without string }

// eventsPage is a page of events.
type eventsPage struct {
	inspect.Page
	// Chips are the filters, and Hidden what else of the URL a form has to keep.
	Chips []chip
	Query url.Values
	// Types, Endpoints, Sinks and States are what may be chosen.
	Types, Endpoints, Sinks []string
	States                  []history.State
	// Next and Live are the addresses of the next page, and of what tells of new events; empty = there is none.
	Next, Live string
	// Off says that no receiver has a history.
	Off bool
}

// filters are the parameters of a search that a page may have.
func filters() []string {
	return []string{admin.QueryType, admin.QueryRecipient, admin.QueryMessage, admin.QueryEndpoint, admin.QuerySink, admin.QueryState, admin.QueryCode, admin.QuerySince, admin.QueryUntil}
}

func (c *Console) events(ctx context.Context, r *http.Request) (shown, error) {
	asked := r.URL.Query()
	query, p := url.Values{}, eventsPage{Query: url.Values{}, States: history.States()}
	for _, name := range filters() {
		value := strings.TrimSpace(asked.Get(name))
		if value == "" {
			continue
		}
		p.Query.Set(name, value)
		without := url.Values{}
		for _, other := range filters() {
			if other != name && asked.Get(other) != "" {
				without.Set(other, asked.Get(other))
			}
		}
		p.Chips = append(p.Chips, chip{name, value, link("/events") + "?" + without.Encode()})
		query.Set(name, c.absolute(name, value))
	}
	receivers, err := c.options.Receivers(ctx)
	var pageErr error
	p.Page, pageErr = inspect.At(ctx, receivers, query, asked.Get(paramPosition), pageLimit)
	p.Off = isOff(pageErr)
	if p.Page.Next != "" {
		next := cloned(p.Query)
		next.Set(paramPosition, p.Page.Next)
		p.Next = "/events?" + next.Encode()
	}
	if asked.Get(paramPosition) == "" {
		p.Live = "/live?" + p.Query.Encode()
	}
	choicesErr := p.choices(ctx, receivers)
	return shown{template: "events.html", title: "Events", tab: "events", content: p}, errors.Join(err, pageErr, choicesErr)
}

// absolute returns the value of a filter as receivers take it: a time may be said as how long ago, such as 24h.
func (c *Console) absolute(name, value string) string {
	if name != admin.QuerySince && name != admin.QueryUntil {
		return value
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return c.options.Now().Add(-d).UTC().Format(time.RFC3339)
	}
	return value
}

func cloned(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		out[name] = slices.Clone(values)
	}
	return out
}

// choices fills in what may be chosen.
func (p *eventsPage) choices(ctx context.Context, receivers []*inspect.Receiver) error {
	for _, t := range event.Types() {
		p.Types = append(p.Types, string(t))
	}
	endpoints, err := endpointsOf(ctx, receivers)
	for i := range endpoints {
		p.Endpoints = append(p.Endpoints, endpoints[i].Name)
	}
	sinks, sinksErr := inspect.Sinks(ctx, nil, receivers)
	for i := range sinks {
		p.Sinks = append(p.Sinks, sinks[i].Name)
	}
	return errors.Join(err, sinksErr)
}

// isOff reports whether receivers have no history.
func isOff(err error) bool {
	refusal, ok := errors.AsType[*admin.Refusal](err)
	return ok && refusal.Status == http.StatusNotFound
}

// eventPage is the story of one event.
type eventPage struct {
	ID     string
	Events []admin.HistoryEvent
}

func (c *Console) event(ctx context.Context, r *http.Request) (shown, error) {
	id := r.URL.Query().Get("id")
	receivers, err := c.options.Receivers(ctx)
	found, searchErr := inspect.Search(ctx, receivers, url.Values{admin.QueryID: {id}, admin.QueryPayload: {"true"}}, history.DefaultLimit)
	s := shown{template: "event.html", title: "Event", tab: "events", content: eventPage{id, found}}
	if len(found) == 0 {
		s.status = http.StatusNotFound
	}
	return s, errors.Join(err, searchErr)
}

// messagePage is all that is known of a message, or of a recipient, the oldest first.
type messagePage struct {
	What, Value string
	Events      []admin.HistoryEvent
	Full        bool
}

func (c *Console) message(ctx context.Context, r *http.Request) (shown, error) {
	p := messagePage{What: "message", Value: r.URL.Query().Get(admin.QueryMessage)}
	query := url.Values{admin.QueryMessage: {p.Value}}
	if p.Value == "" {
		p.What, p.Value = "recipient", r.URL.Query().Get(admin.QueryRecipient)
		query = url.Values{admin.QueryRecipient: {p.Value}}
	}
	if p.Value == "" {
		return shown{template: "error.html", title: "Message", status: http.StatusBadRequest, content: "Name a message or a recipient."}, nil
	}
	receivers, err := c.options.Receivers(ctx)
	found, searchErr := inspect.Search(ctx, receivers, query, history.MaxLimit)
	slices.SortStableFunc(found, func(a, b admin.HistoryEvent) int { return a.Time.Compare(b.Time) })
	p.Events, p.Full = found, len(found) == history.MaxLimit
	return shown{template: "message.html", title: "Message", tab: "events", content: p}, errors.Join(err, searchErr)
}

// live tells, as server-sent events, how many events have come that a search selects.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), followFor)
	defer cancel()
	receivers, err := c.options.Receivers(ctx)
	follower := inspect.Follower{Query: url.Values{}}
	for _, name := range filters() {
		if value := r.URL.Query().Get(name); value != "" {
			follower.Query.Set(name, c.absolute(name, value))
		}
	}
	if err != nil || follower.Begin(ctx, receivers) != nil {
		w.WriteHeader(http.StatusNoContent) // the browser does not come again
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	tell := func(total int) bool {
		_, err := fmt.Fprint(w, "data: ", strconv.Itoa(total), "\n\n")
		return err == nil && http.NewResponseController(w).Flush() == nil
	}
	if tell(0) {
		follow(ctx, &follower, receivers, tell)
	}
}

// follow tells of all that has come, until nobody listens or nobody answers.
func follow(ctx context.Context, f *inspect.Follower, receivers []*inspect.Receiver, tell func(total int) bool) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for total := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		found, err := f.Next(ctx, receivers)
		if total += len(found); err != nil && len(found) == 0 || !tell(total) {
			return
		}
	}
}
