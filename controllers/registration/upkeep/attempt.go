package upkeep

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
)

// testDelay is how long a receiver may take to load a new key, before a test delivery that is signed with it is asked for.
const testDelay = 2 * time.Minute

// attempt is what came of a look at a webhook.
type attempt struct {
	finding condition.Finding
	// changed says that the webhook was made or changed.
	changed bool
	// failed says that the provider has to be asked again soon.
	failed bool
	// retryAfter is the least time until then; again is the most; 0 = any.
	retryAfter, again time.Duration
}

// attempt makes a webhook what is wanted. The error is one of the cluster's; what is wrong at the provider is in the attempt.
func (r *Reconciler) attempt(ctx context.Context, j *job) (attempt, error) {
	s := j.state
	known := registration.Known{
		URLs: s.URLs, Stale: s.Sent != j.sent, NeedsKey: j.needsKey && !j.vendor.SetsKey, HasKey: s.KeyTold,
		MayPurge: deletes(j.endpoint), Restore: s.Restore,
	}
	if s.URL == j.wanted.URL {
		known.Spelled = s.Spelled
	}
	s.note(j.wanted.URL) // before there is a webhook: it is ours, whatever happens in between
	if err := r.save(ctx, j.endpoint, s); err != nil {
		return attempt{}, err
	}
	keeper := r.keeper(j)
	out, err := keeper.Ensure(ctx, j.wanted, &known)
	if err != nil {
		return j.failure(err)
	}
	j.learn(&out, r.Now())
	if err := r.save(ctx, j.endpoint, s); err != nil {
		return attempt{}, err
	}
	a := attempt{changed: out.Changed, finding: j.registered(&out)}
	if err := r.test(ctx, j, &out, &a); err != nil {
		return attempt{}, err
	}
	return a, r.save(ctx, j.endpoint, s)
}

func (r *Reconciler) keeper(j *job) *registration.Keeper {
	return &registration.Keeper{API: j.api, Remember: func(ctx context.Context, restore []string) error {
		j.state.Restore = restore
		return r.save(ctx, j.endpoint, j.state)
	}}
}

// learn remembers what the provider has.
func (j *job) learn(out *registration.Outcome, now time.Time) {
	s := j.state
	s.URL, s.Sent, s.Spelled = j.wanted.URL, j.sent, ""
	if out.Webhook.URL != j.wanted.URL {
		s.Spelled = out.Webhook.URL
		s.note(s.Spelled)
	}
	if out.Left == 0 {
		s.URLs = nil
		s.note(s.URL)
		if s.Spelled != "" {
			s.note(s.Spelled)
		}
	}
	if j.needsKey {
		s.setKey(out.Key, now)
	}
	if s.previous != "" && now.Sub(s.KeyChanged) >= keepPrevious {
		s.previous = ""
	}
}

// test asks for a test delivery where the provider can and none has arrived of what is registered now. One that does not arrive is no reason to doubt the
// registration, and is asked for again at the next look.
func (r *Reconciler) test(ctx context.Context, j *job, out *registration.Outcome, a *attempt) error {
	tester, can := j.api.(registration.Tester)
	if !can {
		return nil
	}
	if j.state.Tested != j.sent {
		if wait := testDelay - r.Now().Sub(j.state.KeyChanged); j.needsKey && wait > 0 {
			a.again = wait
			return nil
		}
		result, err := tester.Test(ctx, out.Webhook)
		if failed, ok := errors.AsType[*registration.Error](err); ok {
			result.Words = failed.Error()
		} else if err != nil {
			return err
		}
		if !result.Passed {
			a.finding = a.finding.Warn(j.untested(result.Words))
			return nil
		}
		j.state.Tested = j.sent
	}
	a.finding.Message += " The endpoint took its test delivery."
	return nil
}
