package endpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/route"
)

// troubleAge is for how long a problem is told after it has happened last.
const troubleAge = 24 * time.Hour

// troubles are the problems of one endpoint under one configuration of it: at most one of each kind, and of each route.
type troubles struct {
	// of is the digest of that configuration.
	of [sha256.Size]byte
	// bearers notice a signature that somebody uses again.
	bearers bearers

	mu  sync.Mutex
	all map[trouble]*config.Problem
}

type trouble struct{ kind, route string }

// note counts a problem, and says whether it is the first of its kind.
func (t *troubles) note(id trouble, message string, now time.Time) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.all[id]
	if p == nil {
		if t.all == nil {
			t.all = map[trouble]*config.Problem{}
		}
		p = &config.Problem{Kind: id.kind, Route: id.route, Since: now.UTC().Truncate(time.Second)}
		t.all[id] = p
		first = true
	}
	p.Count++
	p.Message, p.Last = message, now.UTC().Truncate(time.Second)
	return first
}

// told returns the problems that have happened lately, of the endpoint with a name.
func (t *troubles) told(endpoint string, now time.Time) []config.Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	var told []config.Problem
	for _, p := range t.all {
		if now.Sub(p.Last) < troubleAge {
			one := *p
			one.Endpoint = endpoint
			told = append(told, one)
		}
	}
	slices.SortFunc(told, func(a, b config.Problem) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Route, b.Route))
	})
	return told
}

func newTroubles(spec *config.Endpoint) (*troubles, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return &troubles{of: sha256.Sum256(text)}, nil
}

// Inherit takes over the troubles of endpoints whose configuration is as it was before. The table is not in use yet.
func (t *Table) Inherit(before *Table) {
	for name, e := range t.byName {
		if was := before.byName[name]; was != nil && was.troubles.of == e.troubles.of {
			e.troubles = was.troubles
		}
	}
}

// Problems returns what goes wrong at the endpoints, in the order of their names, at most [config.MaxProblems].
func (t *Table) Problems(now time.Time) []config.Problem {
	names := make([]string, 0, len(t.byName))
	for name := range t.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	var all []config.Problem
	for _, name := range names {
		all = append(all, t.byName[name].troubles.told(name, now)...)
		if len(all) >= config.MaxProblems {
			return all[:config.MaxProblems]
		}
	}
	return all
}

// NoteLarge counts a request whose body is above the bound.
func (e *Endpoint) NoteLarge(now time.Time) {
	e.troubles.note(trouble{kind: config.BodyTooLarge}, fmt.Sprintf("bodies were above %d bytes and refused with 413", e.maxBodyBytes), now)
}

// NoteFailure counts a filter that failed for an event. It returns what to log of it: the first failure of a route under a
// configuration, because an event that brings what a filter cannot take comes again and again; "" = nothing.
func (e *Endpoint) NoteFailure(f *route.Failure, now time.Time) (message string) {
	if !f.InFilter {
		return ""
	}
	message = filter.Problem(f.Err.Error())
	if !e.troubles.note(trouble{config.FilterFailing, f.Route}, message, now) {
		return ""
	}
	return message
}
