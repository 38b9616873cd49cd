package wire

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Parallel are lists of one item whose elements at the same place belong together, such as the addresses and the ids of recipients.
type Parallel struct {
	raw     jsontext.Value // of the item
	sent    []byte
	odd     oddities
	lists   []list
	inOrder []list // that of the item, without those that are not there
	rows    []row  // those of which one of the lists has a text
}

// row is where the elements are that belong together, one for each of the lists. There are two at most.
type row [2]int

// noElement is where the element of a list is that has none in a row.
const noElement = -1

func (r row) at(list int) int { return r[list] }

// with returns the row with another element of a list.
func (r row) with(list, element int) row {
	r[list] = element
	return r
}

// list is a member that holds scalars, or objects: an array, one element in place of an array, or an array encoded as a string.
type list struct {
	start, end int      // where the value stands in the item
	elements   []string // the JSON of each
	encoded    bool
	objects    bool // the elements are objects
	index      int  // among the lists as they were given
	doubt      *doubt
}

// Parallel returns the lists that one or two members hold; each is one of the item or of an object within it.
func (it *Item) Parallel(members ...Member) Parallel {
	p := Parallel{raw: it.Raw, sent: it.Sent, odd: it.oddities}
	longest := 0 // of the lists
	for i, m := range members {
		l := m.list(it.at)
		l.index = i
		p.lists = append(p.lists, l)
		longest = max(longest, len(l.elements))
	}
	for place := range longest {
		if slices.ContainsFunc(p.lists, func(l list) bool { return l.says(place) }) {
			p.rows = append(p.rows, row{place, place})
		}
	}
	p.inOrder = slices.SortedFunc(slices.Values(p.lists), func(a, b list) int { return cmp.Compare(a.start, b.start) })
	p.inOrder = slices.DeleteFunc(p.inOrder, func(l list) bool { return l.start == l.end })
	return p
}

// Member names a member of an object.
type Member struct {
	Object Object
	Name   string
	// Objects says that a list has objects as its elements, and no scalars.
	Objects bool
}

// list returns the list that a member holds; the text of the item begins at a position of the object's.
func (m Member) list(origin int) list {
	i, ok := m.Object.find(m.Name)
	if !ok {
		return list{}
	}
	at, value := &m.Object.members[i], m.Object.json(i)
	l := list{start: int(at.start) - origin, end: int(at.end) - origin, objects: m.Objects, doubt: m.Object.doubt}
	var array string
	if array, l.encoded = arrayOf(value); array != "" {
		l.elements = slices.Collect(elements(array))
	} else {
		l.elements = []string{value}
	}
	return l
}

// says reports whether there is an element. In a list of objects one of another kind is about somebody, too.
func (l *list) says(place int) bool {
	if l.objects {
		return place < len(l.elements) && l.elements[place] != "null"
	}
	return l.text(place) != ""
}

// object returns the JSON of an element that is an object; "" when it is none.
func (l *list) object(place int) string {
	if place < 0 || place >= len(l.elements) || l.elements[place][0] != '{' {
		return ""
	}
	return l.elements[place]
}

// text returns the text of an element; "" when there is none.
func (l *list) text(place int) string {
	if place < 0 || place >= len(l.elements) {
		return ""
	}
	return textOf(l.elements[place])
}

// only returns the JSON of the list with no element but one, as which it was sent.
func (l *list) only(place int) string {
	one := "[]"
	if 0 <= place && place < len(l.elements) {
		one = "[" + l.elements[place] + "]"
	}
	if l.encoded {
		return Quote(one)
	}
	return one
}

// Len returns how many recipients there are, at least 1: an item that names none is one event all the same.
func (p *Parallel) Len() int { return max(len(p.rows), 1) }

// Text returns what a list, by the order in which the members were given, says of the n-th recipient; "" when it says nothing.
func (p *Parallel) Text(list, n int) string {
	if n >= len(p.rows) {
		return ""
	}
	return p.lists[list].text(p.rows[n].at(list))
}

// Object returns what a list of objects, by the order in which the members were given, says of the n-th recipient; the zero Object when
// it says nothing.
func (p *Parallel) Object(list, n int) Object {
	if n >= len(p.rows) {
		return Object{}
	}
	l := &p.lists[list]
	text := l.object(p.rows[n].at(list))
	if text == "" {
		return Object{}
	}
	s := scanner{text: text}
	s.value(0, 0)
	return Object{text: text, members: s.members, doubt: l.doubt}
}

// Identity returns an id that rests on everything that a list says of the n-th recipient; see [Item.Identity].
func (p *Parallel) Identity(list, n int) string {
	if n >= len(p.rows) {
		return ""
	}
	l, place := &p.lists[list], p.rows[n].at(list)
	text := l.object(place)
	switch {
	case text == "" && l.objects && place >= 0 && place < len(l.elements):
		return l.elements[place]
	case text == "":
		return p.Text(list, n)
	}
	id := ""
	_ = single([]byte(text), func(item Item) error { // it was found to be an object
		id = item.Identity()
		return nil
	})
	return id
}

// shared returns how many bytes of the item stand beside the lists.
func (p *Parallel) shared() int {
	n := len(p.sent)
	for _, l := range p.lists {
		n -= l.end - l.start
	}
	return n
}

// Raw returns the item with the lists reduced to what they say of the n-th recipient, and every other byte as it is. That of an only
// recipient is the item itself.
func (p *Parallel) Raw(n int) jsontext.Value {
	if len(p.rows) <= 1 {
		return p.raw
	}
	return p.odd.keepPart(p.Sent(n))
}

// Sent returns what [Parallel.Raw] does, also where not every reader takes it.
func (p *Parallel) Sent(n int) []byte {
	if len(p.rows) <= 1 {
		return p.sent
	}
	sent, copied := make([]byte, 0, p.shared()+perRecipientBytes), 0
	for i := range p.inOrder {
		l := &p.inOrder[i]
		sent = append(sent, p.sent[copied:l.start]...)
		sent = append(sent, l.only(p.rows[n].at(l.index))...)
		copied = l.end
	}
	return append(sent, p.sent[copied:]...)
}

// perRecipientBytes is what the lists of a common item say of one recipient.
const perRecipientBytes = 128
