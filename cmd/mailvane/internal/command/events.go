package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

// followPause is the time between two looks for what has come.
const followPause = time.Second

// search says which events a command is about.
type search struct {
	recipient, message, kind, endpoint, sink, code string
	states                                         []string
	since, until                                   string
	limit                                          int
}

func (s *search) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.recipient, "recipient", "", "only those that name the address; it takes the right privacy")
	f.StringVar(&s.message, "message", "", "only those of the message with this id, its own or the provider's")
	f.StringVar(&s.kind, "type", "", "only those of the type, such as email.bounced")
	f.StringVar(&s.endpoint, "endpoint", "", "only those of the endpoint NAMESPACE/NAME")
	f.StringVar(&s.sink, "sink", "", "only those that the sink NAMESPACE/NAME has to do with")
	f.StringSliceVar(&s.states, "state", nil, "only those in one of the states: "+strings.Join(stateNames(), ", "))
	f.StringVar(&s.code, "code", "", "only those with the SMTP reply code, such as 550, or status code, such as 5.1.1")
	f.StringVar(&s.since, "since", "", "only those since then: a duration ago, such as 2h, or a time, such as 2026-01-02T15:04:05Z")
	f.StringVar(&s.until, "until", "", "only those before then, written as --since")
	f.IntVar(&s.limit, "limit", history.DefaultLimit, "at most so many, the latest")
}

func stateNames() []string {
	var names []string
	for _, s := range history.States() {
		names = append(names, string(s))
	}
	return names
}

// query returns the parameters of the search. The error says what to write.
func (s *search) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	for _, name := range []string{s.endpoint, s.sink} {
		if name != "" && strings.Count(name, "/") != 1 {
			return nil, &usageError{fmt.Sprintf("%q: write NAMESPACE/NAME", name)}
		}
	}
	if s.limit < 1 {
		return nil, &usageError{"--limit must be at least 1"}
	}
	kind := strings.TrimSuffix(strings.TrimPrefix(s.kind, "dev.mailvane."), ".v1") // as CloudEvents write it
	for name, value := range map[string]string{
		admin.QueryRecipient: s.recipient, admin.QueryMessage: strings.Trim(s.message, "<>"), admin.QueryType: kind,
		admin.QueryEndpoint: s.endpoint, admin.QuerySink: s.sink, admin.QueryCode: s.code,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, state := range s.states {
		if !slices.Contains(stateNames(), state) {
			return nil, &usageError{fmt.Sprintf("--state %q: it is one of %s", state, strings.Join(stateNames(), ", "))}
		}
		q.Add(admin.QueryState, state)
	}
	return q, s.times(q, now)
}

// times adds the bounds in time.
func (s *search) times(q url.Values, now time.Time) error {
	for name, text := range map[string]string{admin.QuerySince: s.since, admin.QueryUntil: s.until} {
		if text == "" {
			continue
		}
		at, err := moment(text, now)
		if err != nil {
			return &usageError{fmt.Sprintf("--%s %q: write a duration ago, such as 2h, or a time, such as 2026-01-02T15:04:05Z", name, text)}
		}
		q.Set(name, at.UTC().Format(time.RFC3339))
	}
	return nil
}

// moment reads a time, or a duration that has passed since.
func moment(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Parse(time.RFC3339, text)
}

func newEvents() *cobra.Command {
	var from whom
	var s search
	var format string
	var follow, refused bool
	c := &cobra.Command{
		Use: "events", Short: "Search what was accepted, with what became of it, the latest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			query, err := s.query(time.Now())
			if err != nil {
				return err
			}
			if follow && format != "table" {
				return &usageError{"-f writes a table; leave -o json out"}
			}
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			switch {
			case err != nil:
				return err
			case refused:
				return listRefusals(c, scope.receivers, s.limit, format)
			case follow:
				return followEvents(c, scope.receivers, query, s.limit)
			}
			found, err := inspect.Search(c.Context(), scope.receivers, query, s.limit)
			return errors.Join(write(c.OutOrStdout(), format, found, eventTable(found)), err)
		},
	}
	from.flags(c, readClear())
	s.flags(c)
	outputFlag(c, &format)
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until it is interrupted")
	c.Flags().BoolVar(&refused, "refused", false, "list the latest requests that were refused, of which nothing but this is kept")
	return c
}

func eventTable(found []admin.HistoryEvent) table {
	t := table{header: []string{"ACCEPTED", "TYPE", "STATE", "RECIPIENT", "MESSAGE", "CODE", "ENDPOINT", "ID"}}
	for i := range found {
		t.rows = append(t.rows, eventRow(&found[i]))
	}
	return t
}

func eventRow(e *admin.HistoryEvent) []string {
	return []string{
		e.AcceptedAt.Format(time.RFC3339), e.Type, e.State, cmp.Or(e.Recipient, "-"), cmp.Or(e.MessageID, e.ProviderMessageID, "-"), codeOf(e), e.Endpoint, e.ID,
	}
}

func codeOf(e *admin.HistoryEvent) string {
	smtp := ""
	if e.SMTPCode != 0 {
		smtp = strconv.Itoa(e.SMTPCode)
	}
	return cmp.Or(strings.TrimSpace(smtp+" "+e.EnhancedCode), "-")
}

// followEvents writes the latest events, the oldest of them first, and then what comes.
func followEvents(c *cobra.Command, receivers []*inspect.Receiver, query url.Values, limit int) error {
	ctx := c.Context()
	f := inspect.Follower{Query: query}
	err := f.Begin(ctx, receivers)
	found, searched := inspect.Search(ctx, receivers, query, limit)
	if err := errors.Join(err, searched); err != nil && len(found) == 0 {
		return err
	}
	slices.Reverse(found)
	written := map[string]bool{}
	for {
		for i := range found {
			e := &found[i]
			if key := e.Endpoint + " " + e.ID + " " + e.AcceptedAt.String(); !written[key] {
				written[key] = true
				fmt.Fprintln(c.OutOrStdout(), strings.Join(oneLine(eventRow(e)), "  "))
			}
		}
		if err := sleep(ctx, followPause); err != nil {
			return nil //nolint:nilerr // it was interrupted, as it is meant to be
		}
		clear(written)
		for i := range found {
			written[found[i].Endpoint+" "+found[i].ID+" "+found[i].AcceptedAt.String()] = true
		}
		var err error
		if found, err = f.Next(ctx, receivers); err != nil && ctx.Err() == nil {
			fmt.Fprintln(c.ErrOrStderr(), "mailvane:", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func listRefusals(c *cobra.Command, receivers []*inspect.Receiver, limit int, format string) error {
	refused, err := inspect.Refusals(c.Context(), receivers, limit)
	t := table{header: []string{"TIME", "ENDPOINT", "REASON", "ADDRESS", "BYTES", "MORE", "HEADERS"}}
	for i := range refused {
		r := &refused[i]
		t.rows = append(t.rows, []string{
			r.At.UTC().Format(time.RFC3339), r.Endpoint, r.Reason, cmp.Or(r.Address, "-"), strconv.FormatInt(r.Size, 10), strconv.Itoa(r.More), strings.Join(r.Headers, ","),
		})
	}
	return errors.Join(write(c.OutOrStdout(), format, refused, t), err)
}
