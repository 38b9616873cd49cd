package wire

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mailvane/mailvane/receiver/event"
)

const (
	// longText is the length, in bytes, from which the hash of a string stands for it, so that a large item takes no second copy.
	longText = 256
	// maxKeptBytesOfForm bounds the memory that is kept for the next item: 16 KiB.
	maxKeptBytesOfForm = 16 << 10
)

// Identity returns an id that rests on everything that the item says, but for the given members: two items that differ in anything
// else have two. It is the same for any order of members, white space, escapes in strings, and spelling of a number, because none of
// that is said: a provider that tells the same twice may write it differently.
//
// What the provider says of a fact is all there is to tell it from another. A list of the members that matter would lose each fact
// that differs in one that is not on it.
func (it *Item) Identity(without ...Member) string {
	if it.oddities.deepest > maxKeptDepth {
		return event.HashBytes(it.sentWithout(without)) // each level may cost a copy of what is in it
	}
	c, _ := forms.Get().(*form) // it holds nothing else
	defer c.release()
	c.text, c.body, c.origin = it.text, it.Sent, it.at
	for _, m := range without {
		if i, ok := m.Object.find(m.Name); ok {
			c.without = append(c.without, m.Object.members[i].start)
		}
	}
	c.object(it.members)
	return event.HashBytes(c.out)
}

// sentWithout returns the bytes of the item without those of the given members that are its own, as [Item.Rewrite] writes it: an event that
// keeps an item without them has the id that it had with them.
func (it *Item) sentWithout(without []Member) []byte {
	var left []int32
	for _, m := range without {
		if i, ok := m.Object.find(m.Name); ok {
			left = append(left, m.Object.members[i].start)
		}
	}
	found := false
	out := it.rewrite(func(i int) string {
		if slices.Contains(left, it.members[i].start) {
			found = true
			return ""
		}
		return it.json(i)
	})
	if !found {
		return it.Sent
	}
	return out
}

// form writes JSON that was found to be valid in a form of its own, in which each value ends by itself.
type form struct {
	text string
	// body is what stands at origin in the text.
	body   []byte
	origin int
	out    []byte
	// without are where the values begin that are left out together with their names.
	without []int32
	// order are the members of the objects that are being written, by their places among all.
	order []int32
}

// forms are used again for the next item, with their memory.
var forms = sync.Pool{New: func() any { return new(form) }} //nolint:gochecknoglobals // holds nothing of what was written

func (c *form) release() {
	if cap(c.out) > maxKeptBytesOfForm || cap(c.order) > maxKeptMembers {
		c.out, c.order = nil, nil
	}
	c.text, c.body, c.out, c.without, c.order = "", nil, c.out[:0], c.without[:0], c.order[:0]
	forms.Put(c)
}

// object writes the members of an object in the order of their names; those of one name keep theirs.
func (c *form) object(members []member) {
	c.out = append(c.out, '{')
	first := len(c.order)
	for i := 0; i < len(members); i += int(members[i].size) {
		if !slices.Contains(c.without, members[i].start) {
			c.order = append(c.order, int32(i))
		}
	}
	sorted := c.order[first:]
	slices.SortStableFunc(sorted, func(a, b int32) int {
		return cmp.Compare(members[a].nameIn(c.text), members[b].nameIn(c.text))
	})
	for n := range sorted {
		i := c.order[first+n]
		m := &members[i]
		c.string(int(m.name), int(m.nameEnd), !m.escaped)
		c.value(m, members[i+1:i+m.size])
	}
	c.order = c.order[:first]
	c.out = append(c.out, '}')
}

// value writes the value of a member, which has the members within it if it is an object.
func (c *form) value(m *member, within []member) {
	switch c.text[m.start] {
	case '{':
		c.object(within)
	case '[':
		c.array(int(m.start))
	case '"':
		c.string(int(m.start)+1, int(m.end)-1, m.plain)
	default:
		c.scalar(c.text[m.start:m.end])
	}
}

// array writes an array that begins at a position. What is in it was not remembered, so it is scanned again.
func (c *form) array(at int) {
	c.out = append(c.out, '[')
	s := scanner{text: c.text}
	for at = s.space(at + 1); s.byte(at) != ']'; {
		s.members, s.escaped = s.members[:0], false
		end := s.value(at, 0)
		c.value(&member{start: int32(at), end: int32(end), plain: !s.escaped}, s.members)
		if at = s.space(end); s.byte(at) == ',' {
			at = s.space(at + 1)
		}
	}
	c.out = append(c.out, ']')
}

// string writes the string within two positions.
func (c *form) string(from, to int, plain bool) {
	if plain && to-from >= longText {
		c.long(c.body[from-c.origin : to-c.origin])
		return
	}
	text := c.text[from:to]
	if !plain {
		if text = unescaped(text); len(text) >= longText {
			c.long([]byte(text))
			return
		}
	}
	c.out = append(c.out, 's')
	c.out = binary.AppendUvarint(c.out, uint64(len(text)))
	c.out = append(c.out, text...)
}

func (c *form) long(text []byte) {
	c.out = append(append(c.out, 'S'), event.HashBytes(text)...)
}

// scalar writes true, false, null, or a number: its digits without zeros at either end, and the power of ten that they are to be
// multiplied with.
func (c *form) scalar(text string) {
	if text[0] >= 'a' {
		c.out = append(c.out, text[0])
		return
	}
	mantissa, power := text, 0
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		var err error
		if power, err = strconv.Atoi(text[e+1:]); err != nil { // nobody computes with it
			c.out = append(append(append(c.out, 'x'), text...), ' ')
			return
		}
		mantissa = text[:e]
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	if whole, fraction, ok := strings.Cut(digits, "."); ok {
		digits = whole + fraction
		power -= len(fraction)
	}
	digits = strings.TrimLeft(digits, "0")
	significant := strings.TrimRight(digits, "0")
	power += len(digits) - len(significant)
	c.out = append(c.out, 'n')
	if significant != "" {
		if negative {
			c.out = append(c.out, '-')
		}
		c.out = append(c.out, significant...)
		c.out = strconv.AppendInt(append(c.out, 'e'), int64(power), 10)
	}
	c.out = append(c.out, ' ')
}
