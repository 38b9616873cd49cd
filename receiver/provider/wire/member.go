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
	plain         bool   // nothing is escaped in a value that is a string
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
	known        map[string]struct{}
}

// taken says whether the last of the members has the name of one before it in the same object.
func (n *names) taken(text string, members []member) bool {
	last := len(members) - 1
	name := members[last].nameIn(text)
	n.count++
	if n.count <= maxCompared {
		_, taken := Object{text: text, members: members[n.first:last]}.find(name)
		return taken
	}
	if n.known == nil {
		n.known = map[string]struct{}{}
		for i := n.first; i < last; i += int(members[i].size) {
			n.known[members[i].nameIn(text)] = struct{}{}
		}
	}
	_, taken := n.known[name]
	n.known[name] = struct{}{}
	return taken
}
