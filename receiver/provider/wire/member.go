package wire

// maxCompared is up to how many members the names of an object are compared with one another. With more they are looked
// up, or an object of a million names would take hours.
const maxCompared = 32

// member is a member of an object. It holds positions and no pointers, of which the garbage collector would have to know.
type member struct {
	name, nameEnd int32  // between the quotes
	start, end    int32  // of the value
	size          int32  // in members: this one, and those in it
	mark          uint32 // of the name
	escaped       bool   // something in the name
	plain         bool   // a value that is a string stands for itself
	disputed      bool   // another member of the object has this name, and another value
}

// markOf returns what tells most names apart at one comparison: their length, first and last byte.
func markOf(name string) uint32 {
	if name == "" {
		return 0
	}
	return uint32(len(name))<<16 | uint32(name[0])<<8 | uint32(name[len(name)-1])
}

// nameIn returns the name, of which text holds the member.
func (m *member) nameIn(text string) string {
	if m.escaped {
		return unquote(text[m.name-1 : m.nameEnd+1])
	}
	return text[m.name:m.nameEnd]
}

// names are the names of one object, of which the first is the member at first.
type names struct {
	first, count int
	known        map[string]int
}

// taken reports whether the last of the members has the name of one before it in the same object, and of which first.
func (n *names) taken(text string, members []member) (first int, taken bool) {
	last := len(members) - 1
	name := members[last].nameIn(text)
	n.count++
	if n.count <= maxCompared {
		i, taken := find(text, members[n.first:last], name)
		return n.first + i, taken
	}
	if n.known == nil {
		n.known = map[string]int{}
		for i := n.first; i < last; i += int(members[i].size) {
			n.remember(members[i].nameIn(text), i)
		}
	}
	if first, taken = n.known[name]; !taken {
		n.known[name] = last
	}
	return first, taken
}

func (n *names) remember(name string, at int) {
	if _, known := n.known[name]; !known {
		n.known[name] = at
	}
}

// find returns the index of the first member of a name; ok is false when there is none.
func find(text string, members []member, name string) (i int, ok bool) {
	mark := markOf(name)
	for i < len(members) {
		m := &members[i]
		if m.mark == mark && m.nameIn(text) == name {
			return i, true
		}
		i += int(m.size)
	}
	return 0, false
}
