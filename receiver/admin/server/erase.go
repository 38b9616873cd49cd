package server

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

// eraseLetters drops the dead letters that name a recipient, and returns how many there were.
func (s *Server) eraseLetters(ctx context.Context, recipient string, countAlone bool) (count int, err error) {
	letters, after := s.journal.DeadLetters(), uint64(0)
	for {
		page, err := letters.List(ctx, after, admin.PageSize)
		if err != nil || len(page) == 0 {
			return count, err
		}
		after = page[len(page)-1].ID
		var ids []uint64
		for i := range page {
			letter, err := letters.Get(ctx, page[i].ID)
			if errors.Is(err, journal.ErrNotFound) {
				continue
			}
			if err != nil {
				return count, err
			}
			if namesRecipient(&letter, recipient) {
				ids = append(ids, letter.ID)
			}
		}
		if countAlone {
			count += len(ids)
			continue
		}
		dropped, err := letters.Drop(ctx, ids)
		count += dropped
		if err != nil {
			return count, err
		}
	}
}

// namesRecipient reports whether a dead letter names a recipient: its event does, or, where it could not be decoded, the address is in it.
func namesRecipient(letter *journal.DeadLetter, recipient string) bool {
	folded := history.FoldAddress(recipient)
	facts, err := event.FactsOf(letter.Payload)
	if err != nil {
		return containsAddress(letter.Payload, folded) || containsAddress([]byte(letter.Reason), folded)
	}
	return history.FoldAddress(facts.Recipient) == folded ||
		slices.ContainsFunc(facts.Recipients, func(r string) bool { return history.FoldAddress(r) == folded })
}

// containsAddress reports whether a text holds an address that is no part of a longer one, plainly or as forms write it.
func containsAddress(text []byte, address string) bool {
	text = bytes.ToLower(text)
	for _, form := range []string{address, string(bytes.ReplaceAll([]byte(address), []byte("@"), []byte("%40")))} {
		for rest := text; ; {
			at := bytes.Index(rest, []byte(form))
			if at < 0 {
				break
			}
			end := at + len(form)
			if beginsAddress(rest[:at]) && endsAddress(rest[end:]) {
				return true
			}
			rest = rest[at+1:]
		}
	}
	return false
}

// beginsAddress reports whether an address may begin behind a text: it ends with no part of one, or with an escape of a URL or of JSON.
func beginsAddress(before []byte) bool {
	n := len(before)
	return n == 0 || !isAddressByte(before[n-1]) || n >= 3 && before[n-3] == '%' || n >= 6 && before[n-6] == '\\' && before[n-5] == 'u'
}

// endsAddress reports whether a text goes on with no more of an address. A dot may end a sentence.
func endsAddress(rest []byte) bool {
	if len(rest) > 1 && rest[0] == '.' {
		rest = rest[1:]
	}
	return len(rest) == 0 || rest[0] == '.' || !isAddressByte(rest[0])
}

func isAddressByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || bytes.IndexByte([]byte("._+-"), c) >= 0
}
