package wire

import "github.com/go-json-experiment/json/jsontext"

// Rewrite returns what an event keeps of the item without some of its members, and with other values of others: change returns for each
// of its own members, which has a name and the JSON of a value, the JSON to keep, and "" to leave it out. White space around members is
// not kept.
func (it *Item) Rewrite(change func(name, value string) string) jsontext.Value {
	return it.oddities.keepPart(it.rewrite(func(i int) string { return change(it.members[i].nameIn(it.text), it.json(i)) }))
}

// rewrite returns the item with other values of its own members: change is given the place of each.
func (it *Item) rewrite(change func(i int) string) []byte {
	out := make([]byte, 1, len(it.Sent))
	out[0] = '{'
	for i := 0; i < len(it.members); i += int(it.members[i].size) {
		m := &it.members[i]
		value := change(i)
		if value == "" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, it.text[m.name-1:m.nameEnd+1]...), ':')
		out = append(out, value...)
	}
	return append(out, '}')
}
