package wire

import "fmt"

// oddities are what is JSON by its grammar, but not for every reader (RFC 7493 sections 2.1 and 2.3).
type oddities struct {
	repeated bool // a name occurs twice in an object
	notUTF8  bool // a string is not UTF-8
	halves   bool // a string has the escape of half a character
	// deepest is how many objects and arrays lie in one another.
	deepest int
	doubt   doubt
}

// descend takes note of a depth, and says whether it is one that is read.
func (o *oddities) descend(depth int) bool {
	o.deepest = max(o.deepest, depth)
	return depth <= maxDepth
}

// doubt is the name of a member that was looked up and occurs twice, with different values.
type doubt struct{ name string }

func (d *doubt) note(name string) {
	if d != nil && d.name == "" {
		d.name = name
	}
}

// err names the member. Its name is the one that a decoder of ours asked for, so nothing of the content is told.
func (d *doubt) err() error {
	if d == nil || d.name == "" {
		return nil
	}
	return fmt.Errorf("the member %q occurs twice, with different values", d.name)
}
