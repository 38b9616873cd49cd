package registration

import (
	"context"
	"errors"
	"slices"
)

// Known is what is remembered of a webhook. All of it may be a credential.
type Known struct {
	// URLs are those under which it was registered.
	URLs []string
	// Spelled is the wanted URL as the provider spells it, where that differs from how it was told; else empty.
	Spelled string
	// Stale says that what is wanted is not what was registered, in ways that the provider may not show, such as a password.
	Stale bool
	// NeedsKey says that requests are verified with a key that the provider tells, and HasKey that it is known.
	NeedsKey, HasKey bool
	// MayPurge says that old webhooks may be removed where that takes all webhooks of the account with it for a moment.
	MayPurge bool
	// Restore are the URLs that were removed together with an old one of ours, and may not be back yet.
	Restore []string
}

// Outcome is what Ensure has found and done.
type Outcome struct {
	// Webhook is what the provider has now.
	Webhook Webhook
	// Key is what its requests are signed with; empty = it was not told.
	Key string
	// Changed says that the webhook was made or changed.
	Changed bool
	// Left is the number of old webhooks of ours that are still there.
	Left int
}

// Keeper makes the webhooks of one account what is wanted. A webhook whose URL is none of ours is never changed.
type Keeper struct {
	// API is the account's.
	API API
	// Remember keeps, beyond a crash, the URLs that are about to be removed and have to be put back; none = all are back.
	Remember func(ctx context.Context, restore []string) error
}

// errForgotten says that a provider does not have what it has just taken.
func errForgotten() error {
	return &Error{Kind: Unavailable, Words: "it took the webhook and does not list it"}
}

// Ensure makes a webhook what is wanted, and removes what is left of it under older URLs.
func (k *Keeper) Ensure(ctx context.Context, w Wanted, known *Known) (Outcome, error) {
	if err := k.restore(ctx, known.Restore); err != nil {
		return Outcome{}, err
	}
	all, err := k.API.List(ctx)
	if err != nil {
		return Outcome{}, err
	}
	out, err := k.shape(ctx, w, known, known.find(all, w.URL))
	if err == nil && !out.Changed && known.NeedsKey && !known.HasKey {
		out, err = k.findKey(ctx, w, out)
	}
	if err != nil {
		return Outcome{}, err
	}
	if out.Changed {
		if all, err = k.verify(ctx, &w, known, &out); err != nil {
			return Outcome{}, err
		}
	}
	if out.Key, err = k.key(ctx, known, &out); err != nil {
		return Outcome{}, err
	}
	out.Left, err = k.tidy(ctx, known, all, known.others(all, w.URL, out.Webhook))
	return out, err
}

// verify asks whether the provider has what it was told, and returns what it has.
func (k *Keeper) verify(ctx context.Context, w *Wanted, known *Known, out *Outcome) ([]Webhook, error) {
	all, err := k.API.List(ctx)
	if err != nil {
		return nil, err
	}
	out.Webhook, err = known.made(all, w, out.Webhook)
	return all, err
}

// find returns the webhooks of ours, those with the wanted URL first.
func (known *Known) find(all []Webhook, wanted string) []Webhook {
	var ours, old []Webhook
	for _, webhook := range all {
		switch {
		case webhook.URL == wanted, known.isSpelled(webhook.URL):
			ours = append(ours, webhook)
		case slices.Contains(known.URLs, webhook.URL):
			old = append(old, webhook)
		}
	}
	return append(ours, old...)
}

// isSpelled reports whether a URL is the wanted one as the provider spells it.
func (known *Known) isSpelled(url string) bool {
	return known.Spelled != "" && url == known.Spelled
}

// others returns our webhooks but one. The list may have one twice.
func (known *Known) others(all []Webhook, wanted string, but Webhook) []Webhook {
	return slices.DeleteFunc(known.find(all, wanted), func(w Webhook) bool { return w.ID == but.ID && w.URL == but.URL })
}

// made returns what the list has of a webhook that was made or changed.
func (known *Known) made(all []Webhook, w *Wanted, made Webhook) (Webhook, error) {
	for _, webhook := range all {
		isThere := webhook.URL == w.URL || known.isSpelled(webhook.URL)
		isMade := made.ID != "" && webhook.ID == made.ID
		if !isMade && (made.ID != "" || !isThere) {
			continue
		}
		if !isThere && slices.Contains(known.URLs, webhook.URL) {
			return Webhook{}, &Error{Kind: Unavailable, Words: "it took the new URL and lists the old one"}
		}
		if webhook.Key == "" {
			webhook.Key = made.Key
		}
		return webhook, nil
	}
	return Webhook{}, errForgotten()
}

// shape makes or changes the webhook.
func (k *Keeper) shape(ctx context.Context, w Wanted, known *Known, ours []Webhook) (Outcome, error) {
	if len(ours) == 0 {
		return k.create(ctx, w)
	}
	present := ours[0]
	isThere := present.URL == w.URL || known.isSpelled(present.URL)
	if isThere && !known.Stale && !present.Disabled && (present.Events == nil || sameSet(present.Events, w.Events)) {
		return Outcome{Webhook: present}, nil
	}
	updater, can := k.API.(Updater)
	if !can {
		if isThere { // there is nothing that could be changed
			return Outcome{Webhook: present}, nil
		}
		return k.create(ctx, w)
	}
	changed, err := updater.Update(ctx, present, w)
	if IsKind(err, Missing) { // it went between the two requests
		return k.create(ctx, w)
	}
	return Outcome{Webhook: changed, Changed: true}, err
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// create makes the webhook. One that is there although it was not listed a moment ago is looked for in the next list.
func (k *Keeper) create(ctx context.Context, w Wanted) (Outcome, error) {
	made, err := k.API.Create(ctx, w)
	if IsKind(err, Exists) {
		err = nil
	}
	return Outcome{Webhook: made, Changed: true}, err
}

// findKey asks for the key of a webhook that was there before. Where that is told once, when the webhook is made, it is made anew.
func (k *Keeper) findKey(ctx context.Context, w Wanted, out Outcome) (Outcome, error) {
	if out.Webhook.Key != "" {
		return out, nil
	}
	key, err := k.readKey(ctx, out.Webhook)
	if err != nil || key != "" {
		out.Webhook.Key = key
		return out, err
	}
	return k.create(ctx, w)
}

// key returns the key of the webhook where it can be had: it may be another one than before.
func (k *Keeper) key(ctx context.Context, known *Known, out *Outcome) (string, error) {
	if out.Webhook.Key != "" || !known.NeedsKey {
		return out.Webhook.Key, nil
	}
	return k.readKey(ctx, out.Webhook)
}

func (k *Keeper) readKey(ctx context.Context, webhook Webhook) (string, error) {
	reader, can := k.API.(KeyReader)
	if !can {
		return "", nil
	}
	return reader.Key(ctx, webhook)
}

// tidy removes webhooks of ours, where that can be done. It returns how many are left.
func (k *Keeper) tidy(ctx context.Context, known *Known, all, old []Webhook) (int, error) {
	if len(old) == 0 {
		return 0, nil
	}
	if deleter, can := k.API.(Deleter); can {
		return 0, deleteEach(ctx, deleter, old)
	}
	if purger, can := k.API.(Purger); can && known.MayPurge {
		return 0, k.purge(ctx, purger, all, old)
	}
	return len(old), nil
}

func deleteEach(ctx context.Context, deleter Deleter, old []Webhook) error {
	for _, webhook := range old {
		if err := deleter.Delete(ctx, webhook); err != nil && !IsKind(err, Missing) {
			return err
		}
	}
	return nil
}

// Remove removes every webhook of ours, and makes sure that they are gone.
func (k *Keeper) Remove(ctx context.Context, known *Known) error {
	if err := k.restore(ctx, known.Restore); err != nil {
		return err
	}
	all, err := k.API.List(ctx)
	if err != nil {
		return err
	}
	may := *known
	may.MayPurge = true
	old := may.find(all, "")
	if len(old) == 0 {
		return nil
	}
	left, err := k.tidy(ctx, &may, all, old)
	if err != nil {
		return err
	}
	if left > 0 {
		return &Error{Kind: Refused, Words: "its API cannot remove a webhook"}
	}
	if all, err = k.API.List(ctx); err != nil {
		return err
	}
	if len(may.find(all, "")) > 0 {
		return &Error{Kind: Unavailable, Words: "it removed the webhook and still lists it"}
	}
	return nil
}

// purge removes webhooks of ours by removing all, and puts the others back. Which these are is noted before.
func (k *Keeper) purge(ctx context.Context, purger Purger, all, old []Webhook) error {
	var rest []string
	for _, webhook := range all {
		if !slices.ContainsFunc(old, func(o Webhook) bool { return o.URL == webhook.URL }) && !slices.Contains(rest, webhook.URL) {
			rest = append(rest, webhook.URL)
		}
	}
	if err := k.Remember(ctx, rest); err != nil {
		return err
	}
	// Whatever it says, they may be gone.
	return errors.Join(purger.DeleteAll(ctx), k.restore(ctx, rest))
}

// restore puts back what is not there of URLs, and makes sure that they are.
func (k *Keeper) restore(ctx context.Context, urls []string) error {
	if len(urls) == 0 {
		return nil
	}
	missing, err := k.missing(ctx, urls)
	if err != nil {
		return err
	}
	var failed []error
	for _, url := range missing { // one that the provider refuses does not keep the others away
		if _, err := k.API.Create(ctx, Wanted{URL: url}); err != nil && !IsKind(err, Exists) {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	if missing, err = k.missing(ctx, urls); err != nil {
		return err
	}
	if len(missing) > 0 {
		return errForgotten()
	}
	return k.Remember(ctx, nil)
}

// missing returns those of URLs that the account does not have.
func (k *Keeper) missing(ctx context.Context, urls []string) ([]string, error) {
	all, err := k.API.List(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(urls), func(url string) bool {
		return slices.ContainsFunc(all, func(w Webhook) bool { return w.URL == url })
	}), nil
}
