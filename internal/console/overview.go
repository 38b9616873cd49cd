package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

// waitingLong is for how long an event may wait before it is said first.
const waitingLong = 10 * time.Minute

// endpointRow is an endpoint of all receivers together.
type endpointRow struct {
	admin.Endpoint

	Receivers int
}

// overviewPage is the first page.
type overviewPage struct {
	Endpoints []endpointRow
	Sinks     []inspect.Sink
	// Worst are what is wrong, the worst first, each a sentence with what to do; none = nothing is.
	Worst []trouble
	// Empty says that nothing has come yet.
	Empty bool
}

// trouble is what is wrong, and where to look.
type trouble struct {
	Text, Where string
	weight      int
}

func (c *Console) overview(ctx context.Context, _ *http.Request) (shown, error) {
	receivers, err := c.options.Receivers(ctx)
	endpoints, endpointsErr := endpointsOf(ctx, receivers)
	sinks, sinksErr := inspect.Sinks(ctx, nil, receivers)
	letters, lettersErr := lettersOf(ctx, receivers)
	p := overviewPage{Endpoints: endpoints, Sinks: sinks}
	for i := range endpoints {
		p.Empty = p.Empty || endpoints[i].Accepted > 0
	}
	p.Empty = !p.Empty
	p.Worst = troubles(endpoints, sinks, letters)
	return shown{template: "overview.html", title: "Overview", tab: "overview", content: p}, errors.Join(err, endpointsErr, sinksErr, lettersErr)
}

func endpointsOf(ctx context.Context, receivers []*inspect.Receiver) ([]endpointRow, error) {
	answers, err := inspect.Ask(ctx, receivers, func(ctx context.Context, r *inspect.Receiver) ([]admin.Endpoint, error) { return r.Endpoints(ctx) })
	var rows []endpointRow
	for _, answer := range answers {
		for i := range answer.Said {
			e := answer.Said[i]
			at := slices.IndexFunc(rows, func(have endpointRow) bool { return have.Name == e.Name })
			if at < 0 {
				rows = append(rows, endpointRow{e, 1})
				continue
			}
			rows[at].Counts = rows[at].Plus(e.Counts)
			rows[at].Problems = append(rows[at].Problems, e.Problems...)
			rows[at].Receivers++
		}
	}
	slices.SortFunc(rows, func(a, b endpointRow) int { return cmp.Compare(a.Name, b.Name) })
	return rows, err
}

// troubles returns what is wrong, the worst first.
func troubles(endpoints []endpointRow, sinks []inspect.Sink, letters []letterGroup) (all []trouble) {
	for i := range sinks {
		s := &sinks[i]
		oldest := time.Duration(s.OldestSeconds) * time.Second
		switch {
		case !s.Healthy && s.Receivers > 0:
			all = append(all, trouble{
				fmt.Sprintf("The sink %s fails: %s. %s wait for it, the oldest for %s; nothing is lost, and they are sent when it takes them.", s.Name, s.LastError, plural(s.Pending, "event"), span(oldest)),
				link("/events", admin.QuerySink, s.Name, admin.QueryState, string(history.StateWaiting)), 4,
			})
		case oldest > waitingLong:
			all = append(all, trouble{
				fmt.Sprintf("The sink %s does not keep up: %s wait for it, the oldest for %s. Raise delivery.maxInFlight or batch, or see what it is slow at.", s.Name, plural(s.Pending, "event"), span(oldest)),
				link("/events", admin.QuerySink, s.Name, admin.QueryState, string(history.StateWaiting)), 2,
			})
		}
	}
	for i := range letters {
		l := &letters[i]
		all = append(all, trouble{fmt.Sprintf("%s, %s: %s. Retry when that is mended, or drop.", plural(int64(l.Count), "dead letter"), l.title(), l.Reason), "/deadletters", 3})
	}
	for i := range endpoints {
		for _, p := range endpoints[i].Problems {
			all = append(all, trouble{fmt.Sprintf("The endpoint %s: %s", endpoints[i].Name, p.Message), link("/events", admin.QueryEndpoint, endpoints[i].Name), 1})
		}
	}
	slices.SortStableFunc(all, func(a, b trouble) int { return b.weight - a.weight })
	return all
}

// refusedPage is the latest requests that were refused.
type refusedPage struct {
	Refusals []history.Refusal
	Limit    int
}

func (c *Console) refused(ctx context.Context, _ *http.Request) (shown, error) {
	receivers, err := c.options.Receivers(ctx)
	all, refusedErr := inspect.Refusals(ctx, receivers, pageLimit)
	return shown{template: "refused.html", title: "Refused requests", tab: "refused", content: refusedPage{all, pageLimit}}, errors.Join(err, refusedErr)
}
