package wire

import "strings"

// Align pairs the elements of two lists by what they say and no longer by their place, where the two contradict: key returns what an
// element of the list at ids says that one of the list at names is, "" when nothing. Lists in another order, or of which one leaves
// somebody out, would give one recipient the id of another.
func (p *Parallel) Align(names, ids int, key func(id string) string) {
	if p.aligned(names, ids, key) {
		return
	}
	unclaimed := map[string][]int{}
	for _, r := range p.rows {
		if name := p.lists[names].text(r.at(names)); name != "" {
			name = strings.ToLower(name)
			unclaimed[name] = append(unclaimed[name], r.at(names))
		}
	}
	var rows []row
	claimed := map[int]bool{}
	for _, r := range p.rows {
		id := p.lists[ids].text(r.at(ids))
		if id == "" {
			continue
		}
		name := noElement
		if k := strings.ToLower(key(id)); len(unclaimed[k]) > 0 {
			name, unclaimed[k] = unclaimed[k][0], unclaimed[k][1:]
			claimed[name] = true
		}
		rows = append(rows, r.with(names, name))
	}
	for _, r := range p.rows {
		if name := r.at(names); p.lists[names].text(name) != "" && !claimed[name] {
			rows = append(rows, r.with(ids, noElement))
		}
	}
	p.rows = rows
}

// aligned reports whether no id contradicts the name at its place, and none may be about a name at another.
func (p *Parallel) aligned(names, ids int, key func(id string) string) bool {
	alone, nameless := false, false
	for _, r := range p.rows {
		name, id := p.lists[names].text(r.at(names)), p.lists[ids].text(r.at(ids))
		said := key(id)
		if said != "" && name != "" && !strings.EqualFold(said, name) {
			return false
		}
		alone = alone || id == ""
		nameless = nameless || name == "" && said != ""
	}
	return !alone || !nameless
}
