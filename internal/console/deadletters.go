package console

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/journal"
)

// typeNameAbove is how many dead letters may be acted upon without typing where they are.
const typeNameAbove = 1000

// letterGroup are dead letters of one sink or endpoint with one cause and one reason.
type letterGroup struct {
	Cause    journal.Cause
	Sink     string
	Endpoint string
	Reason   string
	Count    int
	Oldest   time.Time
	Masked   bool
	// EventIDs are those of some of them.
	EventIDs []string

	of map[*inspect.Receiver][]uint64
}

// Key names the group in a form.
func (g *letterGroup) Key() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(g.Cause), g.Sink, g.Endpoint, g.Reason}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Name is what has to be typed for many.
func (g *letterGroup) Name() string {
	if g.Sink != "" {
		return g.Sink
	}
	return g.Endpoint
}

func (g *letterGroup) title() string {
	if g.Sink != "" {
		return fmt.Sprintf("%s for the sink %s", g.Cause, g.Sink)
	}
	return fmt.Sprintf("%s at the endpoint %s", g.Cause, g.Endpoint)
}

// maxLetters bounds how many of a receiver's dead letters one page looks at. Those that are left come when these are done with.
const maxLetters = 20_000

var errEnough = errors.New("enough")

// sampleIDs is how many events of a group are named.
const sampleIDs = 3

// lettersOf returns the dead letters of all receivers in groups, the largest first. Receivers that share a journal have the same ones.
func lettersOf(ctx context.Context, receivers []*inspect.Receiver) ([]letterGroup, error) {
	own, ownErr := inspect.Journals(ctx, receivers)
	answers, err := inspect.Ask(ctx, own, func(ctx context.Context, r *inspect.Receiver) ([]admin.DeadLetter, error) {
		var all []admin.DeadLetter
		err := r.DeadLetters(ctx, func(d *admin.DeadLetter) error {
			if all = append(all, *d); len(all) == maxLetters {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		return all, err
	})
	groups := map[string]*letterGroup{}
	for _, answer := range answers {
		for i := range answer.Said {
			d := &answer.Said[i]
			g := &letterGroup{Cause: d.Cause, Sink: d.Sink, Endpoint: d.Endpoint, Reason: d.Reason, Masked: d.Masked, of: map[*inspect.Receiver][]uint64{}}
			if g.Sink != "" {
				g.Endpoint = ""
			}
			if have := groups[g.Key()]; have != nil {
				g = have
			}
			groups[g.Key()] = g
			g.add(answer.From, d)
		}
	}
	var all []letterGroup
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b letterGroup) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return cmp.Or(a.Oldest.Compare(b.Oldest), strings.Compare(a.Key(), b.Key()))
	})
	return all, errors.Join(ownErr, err)
}

func (g *letterGroup) add(from *inspect.Receiver, d *admin.DeadLetter) {
	g.Count++
	g.of[from] = append(g.of[from], d.ID)
	if g.Oldest.IsZero() || d.Time.Before(g.Oldest) {
		g.Oldest = d.Time
	}
	if d.EventID != "" && len(g.EventIDs) < sampleIDs && !slices.Contains(g.EventIDs, d.EventID) {
		g.EventIDs = append(g.EventIDs, d.EventID)
	}
}

// lettersPage lists the groups, or asks whether something is to be done about one.
type lettersPage struct {
	Groups []letterGroup
	// Plan is what is to be done; nil = nothing is.
	Plan *plan
	// Done says what was done.
	Done string
}

// plan is an action that has not been done.
type plan struct {
	Group  letterGroup
	Action string
	// Typed says that the name has to be typed, and Wrong why it was not done.
	Typed bool
	Wrong string
}

func (c *Console) deadLetters(ctx context.Context, r *http.Request) (shown, error) {
	receivers, err := c.options.Receivers(ctx)
	groups, groupsErr := lettersOf(ctx, receivers)
	p := lettersPage{Groups: groups}
	if action := r.URL.Query().Get("action"); action == actionRetry || action == actionDrop {
		if i := slices.IndexFunc(groups, func(g letterGroup) bool { return g.Key() == r.URL.Query().Get("group") }); i >= 0 {
			p.Plan = &plan{Group: groups[i], Action: action, Typed: groups[i].Count > typeNameAbove}
		}
	}
	return shown{template: "deadletters.html", title: "Dead letters", tab: "deadletters", content: p}, errors.Join(err, groupsErr)
}

// The actions.
const (
	actionRetry = "retry"
	actionDrop  = "drop"
)

// actOnDeadLetters does what a plan says, if it is still so.
func (c *Console) actOnDeadLetters(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	receivers, err := c.options.Receivers(ctx)
	groups, groupsErr := lettersOf(ctx, receivers)
	err = errors.Join(err, groupsErr)
	p := lettersPage{Groups: groups}
	i := slices.IndexFunc(groups, func(g letterGroup) bool { return g.Key() == r.PostFormValue("group") })
	action := r.PostFormValue("action")
	switch {
	case i < 0 || action != actionRetry && action != actionDrop:
		p.Done = "Nothing was done: they are there no more."
	case groups[i].Count > typeNameAbove && r.PostFormValue("name") != groups[i].Name():
		p.Plan = &plan{Group: groups[i], Action: action, Typed: true, Wrong: "Nothing was done: type " + groups[i].Name() + " to confirm."}
	default:
		var actErr error
		p.Done, actErr = groups[i].act(ctx, action)
		fresh, freshErr := lettersOf(ctx, receivers)
		p.Groups, err = fresh, errors.Join(err, actErr, freshErr)
	}
	c.render(w, shown{template: "deadletters.html", title: "Dead letters", tab: "deadletters", content: p}, err)
}

func (g *letterGroup) act(ctx context.Context, action string) (string, error) {
	done, failed := 0, 0
	var errs []error
	why := ""
	for r, ids := range g.of {
		do := r.Retry
		if action == actionDrop {
			do = r.Drop
		}
		result, err := do(ctx, ids)
		done, failed = done+result.Done, failed+len(result.Failed)
		for _, reason := range result.Failed {
			why = ": " + reason
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r, err))
		}
	}
	word := map[string]string{actionRetry: "delivered again", actionDrop: "dropped"}[action]
	text := fmt.Sprintf("%d are %s.", done, word)
	if failed > 0 {
		text += fmt.Sprintf(" %d stay%s.", failed, why)
	}
	return text, errors.Join(errs...)
}
