package suppression

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/event"
)

// maxAhead is how far ahead of ours a provider's clock may be. What is said to be later happens now: nothing could release it.
const maxAhead = time.Hour

// maxReasonBytes bounds what is kept of the words of a refusal.
const maxReasonBytes = 500

// Of returns what an event of a CloudEvents source changes, most often nothing. now is our clock.
//
//   - A hard bounce suppresses, and nothing but a person releases it. A soft one, one that nobody can tell, and one that tells of the sender or the
//     mail (reputation, policy, spam, content) do not.
//   - A complaint does, and nothing but a person releases it: neither a resubscription nor a complaint that is taken back.
//   - An unsubscription does, of one list where it says so, and a later resubscription of the same list releases it, and nothing else.
//   - The provider's own list does (suppression.added), until the provider removes the address from it (suppression.removed).
//   - What is not verified, what names several recipients or none, and test events change nothing: a complaint that names a group is of one of
//     them, and nobody knows of whom.
func Of(e *event.Event, source string, now time.Time) []Change {
	if e.Unverified || e.Recipient == "" || len(e.Recipients) > 1 {
		return nil
	}
	class, releases := classOf(e)
	if class == "" {
		return nil
	}
	c := Change{Key: Key{Address: Fold(e.Recipient), Scope: Everything, Class: class}, At: timeOf(e, now), Releases: releases, Origin: originOf(e, source)}
	if class != Unsubscribe {
		return []Change{c}
	}
	var changes []Change
	for _, scope := range scopesOf(e) {
		c.Scope = scope
		changes = append(changes, c)
	}
	return changes
}

func classOf(e *event.Event) (class Class, releases bool) {
	switch e.Type { //nolint:exhaustive // All others change nothing.
	case event.Bounced:
		if e.Bounce.Type == event.Hard && !isAboutSender(e.Bounce.Category) {
			return Bounce, false
		}
	case event.Complained:
		return Complaint, false
	case event.Unsubscribed:
		return Unsubscribe, false
	case event.Resubscribed:
		return Unsubscribe, true
	case event.SuppressionAdded:
		return Listed, false
	case event.SuppressionRemoved:
		return Listed, true
	}
	return "", false
}

// isAboutSender reports whether a category of bounces tells of the sender or the mail: the address is there.
func isAboutSender(category string) bool {
	switch category {
	case event.CategoryReputation, event.CategorySpam, event.CategoryPolicy, event.CategoryContent:
		return true
	default:
		return false
	}
}

// Fold returns an address as addresses are compared: in lower case. Two mailboxes whose names differ only in case are hardly ever two people.
func Fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func timeOf(e *event.Event, now time.Time) time.Time {
	at := e.Time
	if at.IsZero() || at.After(now.Add(maxAhead)) {
		at = now
	}
	return at.UTC().Truncate(time.Microsecond)
}

func originOf(e *event.Event, source string) Origin {
	reason := e.Reason
	if reason == "" {
		reason = e.Diagnostic
	}
	if reason == "" && e.SMTPCode != 0 {
		reason = strings.TrimSpace(strconv.Itoa(e.SMTPCode) + " " + e.EnhancedCode)
	}
	if len(reason) > maxReasonBytes {
		reason = strings.ToValidUTF8(reason[:maxReasonBytes], "")
	}
	return Origin{ID: e.ID, Source: source, Provider: e.Provider, Event: e.ProviderEvent, Reason: reason}
}

// scopesOf returns the lists that an unsubscription is of: "<provider>:<its name of the list>". One that says of none, or not clearly, is of all
// mail: mail that is held back is the smaller harm.
func scopesOf(e *event.Event) (scopes []string) {
	for id := range strings.SplitSeq(e.Details[catalogue.ListDetail(e.Provider, e.ProviderEvent)], ",") {
		if id = strings.TrimSpace(id); id != "" {
			scopes = append(scopes, strings.ToLower(e.Provider)+":"+id)
		}
	}
	if len(scopes) == 0 {
		return []string{Everything}
	}
	return scopes
}
