// Package requeue says when a pass over a namespace is to be repeated although nothing has changed. 0 means: not before something changes.
package requeue

import "time"

// Foreign is when an object that belongs to somebody else is looked at again: the cache does not tell when it goes.
const Foreign = time.Minute

// Sooner returns the earlier of two times.
func Sooner(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}
