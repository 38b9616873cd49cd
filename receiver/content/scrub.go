package content

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
)

// scrubber takes out of one event what repeats the values that are not kept: the words of a server quote the recipient, a link names him,
// and the partition key may be his address.
type scrubber struct {
	content *Content
	// treated holds what is sent in place of each value that is not kept.
	treated map[string]string
	// needles are what is looked for in other texts, in lower case: addresses and IP addresses, in the forms in which they are repeated.
	// Other values may be short words, which mean something else elsewhere.
	needles map[string]needle
	// lengths are those of the needles, the longest first.
	lengths []int
}

// needle is what is put in the place of a text.
type needle struct {
	instead string
	// within says that the text may stand behind other parts of a local part.
	within bool
}

// maxNeedleBytes bounds what is looked for. An address has at most 254 bytes (RFC 5321 section 4.5.3.1.3), and a message id is in one line
// of mail.
const maxNeedleBytes = 998

func (c *Content) scrubberOf(e *event.Event) *scrubber {
	s := &scrubber{content: c, treated: map[string]string{}, needles: map[string]needle{}}
	kept := map[string]bool{}
	each(e, func(field, value string) {
		if isOwn(field) && c.of(field) == config.ContentKeep {
			kept[lower(value)] = true
		}
	})
	each(e, func(field, value string) {
		if isOwn(field) || !kept[lower(value)] {
			s.note(c.of(field), value)
		}
	})
	lengths := map[int]bool{}
	for text := range s.needles {
		lengths[len(text)] = true
	}
	s.lengths = slices.SortedFunc(maps.Keys(lengths), func(a, b int) int { return b - a })
	return s
}

// each calls visit with every text of an event.
func each(e *event.Event, visit func(field, value string)) {
	again := *e
	again.Rewrite(event.Rewriter{
		Drop: func(string) bool { return false },
		Text: func(field, value string) string {
			visit(field, value)
			return value
		},
	})
}

// isOwn reports whether a field says by itself what a value is. One that is kept is sent although a list or a member of a map, which is
// not, has the same; one that is not kept is nowhere to be found.
func isOwn(field string) bool {
	switch field {
	case "recipient", "sender", "messageId", "providerMessageId", "providerEventId", "correlationId", "account", "ip":
		return true
	default:
		return false
	}
}

// note notes a value that is not kept.
func (s *scrubber) note(as, value string) {
	if _, known := s.treated[value]; known || as == config.ContentKeep || value == "" {
		return
	}
	instead := s.content.treat(as, value)
	s.treated[value] = instead
	if len(value) > maxNeedleBytes {
		return
	}
	if instead == "" {
		instead = masked
	}
	if _, err := netip.ParseAddr(value); err == nil {
		s.needles[lower(value)] = needle{instead: instead}
	}
	s.noteAddress(value, instead)
}

// noteAddress notes how an address may be repeated: as it is, in a URL, and within another one, as those that take bounces (VERP) and those
// of forwarded mail (SRS) hold it.
func (s *scrubber) noteAddress(value, instead string) {
	at := strings.LastIndexByte(value, '@')
	if at < 1 || at == len(value)-1 {
		return
	}
	query := url.QueryEscape(value)
	for _, form := range []string{value, query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(value), strings.ReplaceAll(value, "@", "%40")} {
		s.needles[lower(form)] = needle{instead: instead}
	}
	local, domain := value[:at], value[at+1:]
	for _, form := range []string{local + "=" + domain, domain + "=" + local} {
		s.needles[lower(form)] = needle{instead: instead, within: true}
	}
}

// text returns what is sent in place of one text of a field.
func (s *scrubber) text(as, value string) string {
	if as != config.ContentKeep {
		return s.content.treat(as, value)
	}
	return s.scrub(value)
}

// key returns what is sent in place of a partition key. It follows the field that it was made from.
func (s *scrubber) key(key string) string {
	for value, instead := range s.treated {
		if event.KeyOf(value) == key {
			return instead
		}
	}
	return s.scrub(key)
}

// scrub replaces in a text the values that are looked for, whatever the case of their letters.
func (s *scrubber) scrub(text string) string {
	if len(s.needles) == 0 || text == "" {
		return text
	}
	low := lower(text)
	var out strings.Builder
	from := 0
	for at := 0; at < len(text); {
		length, instead := s.at(low, at)
		if length == 0 {
			at++
			continue
		}
		out.WriteString(text[from:at])
		out.WriteString(instead)
		at += length
		from = at
	}
	if from == 0 {
		return text
	}
	out.WriteString(text[from:])
	return out.String()
}

// at returns the length of what stands at a place and is looked for, and what is put there; 0 = nothing.
func (s *scrubber) at(low string, at int) (length int, instead string) {
	begins := beginsAt(low, at)
	if !begins && !strings.ContainsRune("._-", rune(low[at-1])) {
		return 0, ""
	}
	for _, length := range s.lengths {
		if at+length > len(low) {
			continue
		}
		if n, ok := s.needles[low[at:at+length]]; ok && (begins || n.within) && endsAt(low, at+length) {
			return length, n.instead
		}
	}
	return 0, ""
}

// beginsAt reports whether an address may begin at a place: what is before it is none of its characters, or is an escape.
func beginsAt(low string, at int) bool {
	if at == 0 || !isInner(low[at-1]) {
		return true
	}
	if at >= 2 && low[at-2] == '\\' {
		return true
	}
	return at >= 3 && (low[at-3] == '%' || low[at-3] == '=') && isHex(low[at-2]) && isHex(low[at-1])
}

// endsAt reports whether the domain of an address may end before a place.
func endsAt(low string, at int) bool {
	switch {
	case at == len(low):
		return true
	case low[at] == '.' || low[at] == '-':
		return at+1 == len(low) || !isInner(low[at+1])
	default:
		return !isInner(low[at])
	}
}

// isInner reports whether a character goes on with the address beside it. Others may be in a local part and separate as well, as in
// "tag+a@example.com".
func isInner(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-' || c >= 0x80
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// lower returns a text with its letters in lower case, but for those that would take another number of bytes: places are the same in both.
func lower(text string) string {
	low := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if l := unicode.ToLower(r); l != r && utf8.RuneLen(l) == size {
			low = utf8.AppendRune(low, l)
		} else {
			low = append(low, text[i:i+size]...)
		}
		i += size
	}
	return string(low)
}
