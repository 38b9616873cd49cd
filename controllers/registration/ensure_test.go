package registration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/controllers/registration"
)

// account is one in memory. Its zero value has nothing and does what it is told.
type account struct {
	hooks []registration.Webhook
	calls []string
	made  int
	// spell is how the provider writes a URL that it is told; nil = as it is.
	spell func(url string) string
	// fails is the error of a call, by its beginning, until it was returned once.
	fails map[string]error
	// key says that webhooks have keys, told when they are made.
	key bool
}

func (a *account) call(what string) error {
	a.calls = append(a.calls, what)
	for prefix, err := range a.fails {
		if strings.HasPrefix(what, prefix) {
			delete(a.fails, prefix)
			return err
		}
	}
	return nil
}

func (a *account) List(context.Context) ([]registration.Webhook, error) {
	hooks := slices.Clone(a.hooks)
	for i := range hooks {
		hooks[i].Key = ""
	}
	return hooks, a.call("list")
}

func (a *account) Create(_ context.Context, w registration.Wanted) (registration.Webhook, error) {
	if err := a.call("create " + w.URL); err != nil {
		return registration.Webhook{}, err
	}
	a.made++
	hook := registration.Webhook{ID: fmt.Sprint(a.made), URL: w.URL, Events: w.Events}
	if a.spell != nil {
		hook.URL = a.spell(w.URL)
	}
	if a.key {
		hook.Key = "key " + hook.ID
	}
	a.hooks = append(a.hooks, hook)
	return hook, nil
}

func (a *account) delete(ctx context.Context, present registration.Webhook) error {
	_ = ctx
	a.hooks = slices.DeleteFunc(a.hooks, func(h registration.Webhook) bool { return h.ID == present.ID })
	return a.call("delete " + present.ID)
}

func (a *account) urls() []string {
	urls := make([]string, len(a.hooks))
	for i := range a.hooks {
		urls[i] = a.hooks[i].URL
	}
	slices.Sort(urls)
	return urls
}

// deleting is an account that can remove a webhook, and not change one.
type deleting struct{ *account }

func (a deleting) Delete(ctx context.Context, present registration.Webhook) error {
	return a.delete(ctx, present)
}

// updating is one that can change a webhook as well.
type updating struct{ deleting }

func (a updating) Update(_ context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	if err := a.call("update " + present.ID); err != nil {
		return registration.Webhook{}, err
	}
	for i := range a.hooks {
		if a.hooks[i].ID == present.ID {
			a.hooks[i].URL, a.hooks[i].Events, a.hooks[i].Disabled = w.URL, w.Events, false
			return a.hooks[i], nil
		}
	}
	return registration.Webhook{}, &registration.Error{Kind: registration.Missing}
}

// stubborn is one that takes a change and does nothing.
type stubborn struct{ deleting }

func (stubborn) Update(_ context.Context, present registration.Webhook, _ registration.Wanted) (registration.Webhook, error) {
	return present, nil
}

// purging is one that can only remove all webhooks together.
type purging struct {
	*account
	remembered [][]string
}

func (a *purging) DeleteAll(context.Context) error {
	a.hooks = nil
	return a.call("delete all")
}

func (a *purging) keeper() *registration.Keeper {
	return &registration.Keeper{API: a, Remember: func(_ context.Context, urls []string) error {
		a.remembered = append(a.remembered, urls)
		return a.call("remember")
	}}
}

func hook(id, url string, events ...string) registration.Webhook {
	return registration.Webhook{ID: id, URL: url, Events: events}
}

// TestEnsure looks at accounts of which each has something else.
func TestEnsure(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		hooks  []registration.Webhook
		known  registration.Known
		calls  string
		urls   string
		left   int
	}{
		"nothing":             {"", nil, registration.Known{}, "list,create new,list", "new", 0},
		"it":                  {"nothing is to be done", []registration.Webhook{hook("a", "new", "x")}, registration.Known{}, "list", "new", 0},
		"the old one":         {"it moves, so that no event is lost", []registration.Webhook{hook("a", "old", "x")}, registration.Known{URLs: []string{"old", "new"}, Stale: true}, "list,update a,list", "new", 0},
		"both":                {"the old one goes", []registration.Webhook{hook("a", "old", "x"), hook("b", "new", "x")}, registration.Known{URLs: []string{"old", "new"}}, "list,delete a", "new", 0},
		"it twice":            {"one of them is enough", []registration.Webhook{hook("a", "new", "x"), hook("b", "new", "x")}, registration.Known{}, "list,delete b", "new", 0},
		"an old one unknown":  {"what was not remembered is somebody else's", []registration.Webhook{hook("a", "old", "x")}, registration.Known{}, "list,create new,list", "new,old", 0},
		"another slash":       {"a URL that only looks alike is somebody else's", []registration.Webhook{hook("a", "new/", "x")}, registration.Known{}, "list,create new,list", "new,new/", 0},
		"other events":        {"", []registration.Webhook{hook("a", "new", "y")}, registration.Known{}, "list,update a,list", "new", 0},
		"events twice":        {"a set is a set", []registration.Webhook{hook("a", "new", "x", "x")}, registration.Known{}, "list", "new", 0},
		"no word of events":   {"who says nothing has no others", []registration.Webhook{{ID: "a", URL: "new"}}, registration.Known{}, "list", "new", 0},
		"disabled":            {"", []registration.Webhook{{ID: "a", URL: "new", Events: []string{"x"}, Disabled: true}}, registration.Known{}, "list,update a,list", "new", 0},
		"another password":    {"it is told again, since nobody sees it", []registration.Webhook{hook("a", "new", "x")}, registration.Known{Stale: true}, "list,update a,list", "new", 0},
		"it in other letters": {"the provider spells it so", []registration.Webhook{hook("a", "NEW", "x")}, registration.Known{Spelled: "NEW", URLs: []string{"new", "NEW"}}, "list", "NEW", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := updating{deleting{&account{hooks: tc.hooks}}}
			keeper := registration.Keeper{API: a}
			out, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new", Events: []string{"x"}}, &tc.known)
			if got := strings.Join(a.calls, ","); err != nil || got != tc.calls || strings.Join(a.urls(), ",") != tc.urls || out.Left != tc.left {
				t.Errorf("%s: %v, %s, left %d, has %v", tc.reason, err, got, out.Left, a.urls())
			}
		})
	}
}

// TestAWebhookThatIsSpelledOtherwise is found again, and none is made for it at each look.
func TestAWebhookThatIsSpelledOtherwise(t *testing.T) {
	t.Parallel()
	a := updating{deleting{&account{spell: strings.ToUpper}}}
	keeper := registration.Keeper{API: a}
	w := registration.Wanted{URL: "new"}
	out, err := keeper.Ensure(t.Context(), w, &registration.Known{URLs: []string{"new"}})
	if err != nil || out.Webhook.URL != "NEW" {
		t.Fatalf("got %+v, %v", out, err)
	}
	known := registration.Known{URLs: []string{"new", "NEW"}, Spelled: "NEW"}
	if out, err = keeper.Ensure(t.Context(), w, &known); err != nil || out.Changed {
		t.Errorf("got %+v, %v", out, err)
	}
}

// TestAChangeThatIsNone is told: the provider says that it has moved the webhook, and lists the old URL.
func TestAChangeThatIsNone(t *testing.T) {
	t.Parallel()
	a := stubborn{deleting{&account{hooks: []registration.Webhook{hook("a", "old")}}}}
	keeper := registration.Keeper{API: a}
	_, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{URLs: []string{"old", "new"}, Stale: true})
	if !registration.IsKind(err, registration.Unavailable) || !strings.Contains(err.Error(), "lists the old one") {
		t.Errorf("got %v", err)
	}
}

// TestARace has the webhook made, or removed, by somebody else between two requests.
func TestARace(t *testing.T) {
	t.Parallel()
	a := updating{deleting{&account{}}}
	a.fails = map[string]error{"create": &registration.Error{Kind: registration.Exists}}
	keeper := registration.Keeper{API: a}
	if _, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{}); !registration.IsKind(err, registration.Unavailable) {
		t.Errorf("that is there and not listed: %v", err)
	}
	a.hooks = []registration.Webhook{hook("a", "new", "y")}
	a.fails = map[string]error{"update": &registration.Error{Kind: registration.Missing}}
	if _, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new", Events: []string{"x"}}, &registration.Known{}); err != nil {
		t.Errorf("that went before it was changed: %v", err)
	}
	a.hooks = []registration.Webhook{hook("a", "old"), hook("b", "new")}
	a.fails = map[string]error{"delete": &registration.Error{Kind: registration.Missing}}
	if _, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{URLs: []string{"old"}}); err != nil {
		t.Errorf("that went before it was removed: %v", err)
	}
}

// TestAKeyThatIsToldOnce is had by making the webhook anew, and the old one goes.
func TestAKeyThatIsToldOnce(t *testing.T) {
	t.Parallel()
	a := deleting{&account{key: true, hooks: []registration.Webhook{hook("a", "new")}}}
	keeper := registration.Keeper{API: a}
	out, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{NeedsKey: true})
	if err != nil || out.Key != "key 1" || len(a.hooks) != 1 || a.hooks[0].ID != "1" {
		t.Errorf("got %+v, %v, has %+v", out, err, a.hooks)
	}
	out, err = keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{NeedsKey: true, HasKey: true})
	if err != nil || out.Changed || out.Key != "" {
		t.Errorf("with the key: got %+v, %v", out, err)
	}
}

// TestAPurge fails at each step in turn. What others have is back after the next look, whatever happened.
func TestAPurge(t *testing.T) {
	t.Parallel()
	down := &registration.Error{Kind: registration.Unavailable, Words: "down"}
	for _, step := range []string{"", "remember", "delete all", "create foreign 1", "create foreign 2"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			a := &purging{account: &account{hooks: []registration.Webhook{
				hook("", "old"), hook("", "foreign 1"), hook("", "foreign 2"), hook("", "new"),
			}}}
			if step != "" {
				a.fails = map[string]error{step: down}
			}
			known := registration.Known{URLs: []string{"old", "new"}, MayPurge: true}
			_, err := a.keeper().Ensure(t.Context(), registration.Wanted{URL: "new"}, &known)
			if (err == nil) != (step == "") {
				t.Fatalf("got %v", err)
			}
			if len(a.remembered) > 0 && a.remembered[len(a.remembered)-1] != nil {
				known.Restore = a.remembered[len(a.remembered)-1]
			}
			if _, err := a.keeper().Ensure(t.Context(), registration.Wanted{URL: "new"}, &known); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"foreign 1", "foreign 2", "new"}, a.urls()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if last := a.remembered[len(a.remembered)-1]; last != nil {
				t.Errorf("it still wants to put back %v", last)
			}
		})
	}
}

// TestNoPurgeUnlessItMay leaves an old webhook where removing it would take others with it.
func TestNoPurgeUnlessItMay(t *testing.T) {
	t.Parallel()
	a := &purging{account: &account{hooks: []registration.Webhook{hook("", "old"), hook("", "foreign"), hook("", "new")}}}
	out, err := a.keeper().Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{URLs: []string{"old"}})
	if err != nil || out.Left != 1 || len(a.hooks) != 3 {
		t.Errorf("got %+v, %v, has %v", out, err, a.urls())
	}
}

// TestRemove says when it could not.
func TestRemove(t *testing.T) {
	t.Parallel()
	a := &account{hooks: []registration.Webhook{hook("a", "new"), hook("b", "foreign")}}
	keeper := registration.Keeper{API: a}
	if err := keeper.Remove(t.Context(), &registration.Known{URLs: []string{"new"}}); !registration.IsKind(err, registration.Refused) {
		t.Errorf("an API that can remove nothing: %v", err)
	}
	if err := keeper.Remove(t.Context(), &registration.Known{}); err != nil {
		t.Errorf("nothing of ours: %v", err)
	}
	if diff := cmp.Diff([]string{"foreign", "new"}, a.urls()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOneOfOthersThatIsRefused keeps none of the rest away: they are back at once, and it is tried again.
func TestOneOfOthersThatIsRefused(t *testing.T) {
	t.Parallel()
	a := &purging{account: &account{hooks: []registration.Webhook{hook("", "old"), hook("", "foreign 1"), hook("", "foreign 2"), hook("", "new")}}}
	a.fails = map[string]error{"create foreign 1": &registration.Error{Kind: registration.Refused, Words: "no"}}
	_, err := a.keeper().Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{URLs: []string{"old"}, MayPurge: true})
	if !registration.IsKind(err, registration.Refused) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"foreign 2", "new"}, a.urls()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// forgetful is an account that takes what is put back, and does not have it.
type forgetful struct{ *purging }

func (forgetful) Create(_ context.Context, w registration.Wanted) (registration.Webhook, error) {
	return registration.Webhook{URL: w.URL}, nil
}

// TestWhatIsPutBackAndForgotten is not taken for granted: it stays noted.
func TestWhatIsPutBackAndForgotten(t *testing.T) {
	t.Parallel()
	a := &purging{account: &account{hooks: []registration.Webhook{hook("", "new")}}}
	keeper := a.keeper()
	keeper.API = forgetful{a}
	_, err := keeper.Ensure(t.Context(), registration.Wanted{URL: "new"}, &registration.Known{Restore: []string{"foreign"}})
	if !registration.IsKind(err, registration.Unavailable) || len(a.remembered) > 0 {
		t.Errorf("got %v, remembers %v", err, a.remembered)
	}
}
