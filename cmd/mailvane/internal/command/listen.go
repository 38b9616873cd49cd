package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink"
)

const listenLong = `Post the events of receivers to a URL of yours, such as the service that you are working on, as an HTTP sink does: one CloudEvents JSON object in each
request, in the order in which they were accepted. It begins with what comes from now on, or with --since; what cannot be posted is tried again until it can,
and receivers that go away and come back are asked for what was missed. Nothing is changed: sinks get what they are owed all the same.`

// The waits before an event is posted again, and the time of one post.
const (
	listenRetryFirst, listenRetryMost = time.Second, 10 * time.Second
	listenTimeout                     = 30 * time.Second
)

// listening is what the command is about.
type listening struct {
	to, since, expression, secretFile string
	kind, endpoint, sink              string
}

func newListen() *cobra.Command {
	var from whom
	var l listening
	c := &cobra.Command{
		Use: "listen --to URL", Short: "Post the events of receivers to a URL of yours", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return l.run(c, &from) },
	}
	from.flags(c, []access.Right{access.Privacy})
	c.Long = listenLong + accessLong
	f := c.Flags()
	f.StringVar(&l.to, "to", "", "where to post, such as http://localhost:3000/events")
	cobra.CheckErr(c.MarkFlagRequired("to"))
	f.StringVar(&l.since, "since", "", "begin then: a duration ago, such as 2h, or a time, such as 2026-01-02T15:04:05Z; by default now")
	f.StringVar(&l.expression, "filter", "", "only events for which this is true, in CEL, as of a route: event.type == \"email.bounced\"")
	f.StringVar(&l.kind, "type", "", "only those of the type, such as email.bounced")
	f.StringVar(&l.endpoint, "endpoint", "", "only those of the endpoint NAMESPACE/NAME")
	f.StringVar(&l.sink, "sink", "", "only those that the sink NAMESPACE/NAME has to do with")
	f.StringVar(&l.secretFile, "secret-file", "", "file with the secret (whsec_...) that each request is signed with, as an HTTP sink signs")
	return c
}

func (l *listening) run(c *cobra.Command, from *whom) error {
	now := time.Now()
	s := search{kind: l.kind, endpoint: l.endpoint, sink: l.sink, since: l.since, limit: 1}
	query, err := s.query(now)
	if err != nil {
		return err
	}
	target, err := l.target()
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }() // what was posted is posted
	wanted, err := l.filter()
	if err != nil {
		return err
	}
	p := &poster{target: target, wanted: wanted, out: c.OutOrStdout(), to: l.to}
	follower := inspect.Follower{Query: query, Since: now}
	if at, err := moment(l.since, now); l.since != "" && err == nil {
		follower.Since = at
	}
	query.Del(admin.QuerySince) // the follower says it of each receiver when it asks for the first time
	query.Set(admin.QueryPayload, "true")
	find := func(ctx context.Context) ([]*inspect.Receiver, error) {
		scope, err := from.openReceivers(ctx, io.Discard)
		if err != nil {
			return nil, err
		}
		return scope.receivers, nil
	}
	receivers, err := find(c.Context())
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "posting to %s; end with ^C\n", l.to)
	return p.follow(c, &follower, receivers, find)
}

// target returns what posts.
func (l *listening) target() (sink.Sink, error) {
	u, err := url.Parse(l.to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, &usageError{fmt.Sprintf("--to %q: write a URL, such as http://localhost:3000/events", l.to)}
	}
	settings := map[string]any{"url": l.to, "contentMode": "Structured"}
	if l.secretFile != "" {
		secret, err := os.ReadFile(l.secretFile)
		if err != nil {
			return nil, fmt.Errorf("--secret-file: %w", err)
		}
		settings["signingSecrets"] = []string{strings.TrimSpace(string(secret))}
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("prepare the posts: %w", err)
	}
	target, err := httpsink.Kind().New(text, sink.Environment{})
	if err != nil {
		return nil, fmt.Errorf("prepare the posts: %w", err)
	}
	return target, nil
}

func (l *listening) filter() (*filter.Filter, error) {
	if l.expression == "" {
		return nil, nil
	}
	compiler, err := filter.NewCompiler()
	if err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(l.expression)
	if err != nil {
		return nil, &usageError{fmt.Sprintf("--filter: %v", err)}
	}
	return compiled, nil
}

// poster posts events, one after the other.
type poster struct {
	target sink.Sink
	wanted *filter.Filter // nil = all
	out    io.Writer
	to     string
}

var errMasked = errors.New("events are masked: it takes the right privacy to have them, which the ClusterRole mailvane-privacy grants")

// follow posts what comes until it is interrupted. Receivers are looked for again when one does not answer.
func (p *poster) follow(c *cobra.Command, f *inspect.Follower, receivers []*inspect.Receiver, find func(context.Context) ([]*inspect.Receiver, error)) error {
	ctx, said := c.Context(), ""
	for ctx.Err() == nil {
		found, err := f.Next(ctx, receivers)
		if err := p.postAll(ctx, found); err != nil {
			return err
		}
		if text := fmt.Sprint(err); err != nil && ctx.Err() == nil && text != said {
			said = text
			fmt.Fprintln(c.ErrOrStderr(), "asked again until it answers:", err)
		}
		if len(found) > 0 {
			continue // there may be more
		}
		pause(ctx, followPause)
		if again, findErr := find(ctx); err != nil && findErr == nil {
			receivers = again
		}
	}
	return nil
}

// postAll posts events in their order. To be interrupted is no error.
func (p *poster) postAll(ctx context.Context, events []admin.HistoryEvent) error {
	for i := range events {
		if err := p.post(ctx, &events[i]); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// post posts one event until it is taken or refused for good.
func (p *poster) post(ctx context.Context, e *admin.HistoryEvent) error {
	if e.Masked {
		return errMasked
	}
	if wanted, err := p.wants(e); err != nil || !wanted {
		return err
	}
	for wait := listenRetryFirst; ; wait = min(2*wait, listenRetryMost) {
		err := p.send(ctx, e)
		switch {
		case err == nil:
			fmt.Fprintf(p.out, "%s  %s  %s  %s\n", e.AcceptedAt.Format(time.RFC3339), e.Type, e.Recipient, e.ID)
			return nil
		case sink.IsPermanent(err):
			fmt.Fprintf(p.out, "%s  %s  %s  refused: %v\n", e.AcceptedAt.Format(time.RFC3339), e.Type, e.ID, err)
			return nil
		}
		fmt.Fprintf(p.out, "%s  %s  tried again in %s: %v\n", e.AcceptedAt.Format(time.RFC3339), e.ID, wait, err)
		if pause(ctx, wait); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (p *poster) send(ctx context.Context, e *admin.HistoryEvent) error {
	ctx, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	return p.target.Send(ctx, sink.NewBatch([]sink.Message{{ID: e.ID, Envelope: []byte(e.Payload)}}))
}

// wants reports whether the filter takes an event. One for which it fails is said.
func (p *poster) wants(e *admin.HistoryEvent) (bool, error) {
	if p.wanted == nil {
		return true, nil
	}
	envelope, err := event.ParseEnvelope([]byte(e.Payload))
	if err != nil {
		return false, fmt.Errorf("event %s: %w", e.ID, err)
	}
	record, err := envelope.Event()
	if err != nil {
		return false, fmt.Errorf("event %s: %w", e.ID, err)
	}
	wanted, err := p.wanted.Match(&record)
	if err != nil {
		fmt.Fprintf(p.out, "%s  left out, since the filter fails: %v\n", e.ID, err)
		return false, nil
	}
	return wanted, nil
}
