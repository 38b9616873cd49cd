// Package access says who may do what at a receiver's admin API: three rights, the tokens that give them, and the guard in front
// of the API. It imports nothing of ours, so that the manager can make the tokens that receivers ask for.
package access

// Right is what a caller of the admin API may do. A right includes those before it.
type Right uint8

// The rights, from the least to the greatest.
const (
	// Viewer reads what receivers hold and do. Personal data is masked.
	Viewer Right = iota + 1
	// Operator also retries and drops. What it reads is masked as well.
	Operator
	// Privacy also reads recipients, senders, subjects and payloads in clear text.
	Privacy
)

// Rights returns all rights, from the least to the greatest.
func Rights() []Right { return []Right{Viewer, Operator, Privacy} }

// String returns the name of the right, which is also the name of the file with its tokens.
func (r Right) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Operator:
		return "operator"
	case Privacy:
		return "privacy"
	default:
		return "none"
	}
}

// Includes says whether who has r may do what needs the other right.
func (r Right) Includes(other Right) bool { return r >= other && other != 0 }
