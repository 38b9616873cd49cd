package wire

// Each returns the list that a member holds, and how many elements it has, of whatever kind: what is about the n-th of them is the item
// with no other. One object in place of a list is its only element. ok is false where there is neither.
func (it *Item) Each(m Member) (p Parallel, count int, ok bool) {
	value := m.Object.JSON(m.Name)
	if value == "" || value[0] != '[' && value[0] != '{' {
		return Parallel{}, 0, value == "null"
	}
	p = it.Parallel(m)
	p.rows = p.rows[:0]
	for place := range p.lists[0].elements {
		p.rows = append(p.rows, row{place, place})
	}
	return p, len(p.rows), true
}
