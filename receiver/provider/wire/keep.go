package wire

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
)

// Bounds of the metadata of one event, and of its details. What is beyond them is in the raw item only.
const (
	maxKept      = 256
	maxKeptBytes = 64 << 10
)

// SetMetadata adds a value that the sender of the message attached, under the sender's name. An empty one is left out, and so is all
// that comes after the first that does not fit: a body may hold a million.
func SetMetadata(e *event.Event, name, value string) {
	if !e.Truncated {
		e.Truncated = !keep(&e.Metadata, name, value)
	}
}

// SetDetail adds a fact of the provider that has no field of its own, under the provider's name. An empty one is left out.
func SetDetail(e *event.Event, name, value string) {
	if !keep(&e.Details, name, value) {
		e.Truncated = true
	}
}

// KeepMembers adds members that the sender attached to the metadata, under their own names.
func KeepMembers(e *event.Event, o Object, names ...string) {
	for _, name := range names {
		SetMetadata(e, name, o.Text(name))
	}
}

// KeepDetails adds members that have no field of their own to the details, under their own names.
func KeepDetails(e *event.Event, o Object, names ...string) {
	for _, name := range names {
		SetDetail(e, name, o.Text(name))
	}
}

// SetDetailList adds a list as one detail, joined with commas.
func SetDetailList(e *event.Event, name string, values []string) {
	SetDetail(e, name, strings.Join(values, ","))
}

// keep adds a value unless there are too many, and says whether it did. An empty one is nothing to add.
func keep(values *map[string]string, name, value string) bool {
	if value == "" {
		return true
	}
	if *values == nil {
		*values = map[string]string{}
	}
	if !fits(*values, name, value) {
		return false
	}
	(*values)[name] = value
	return true
}

// fits reports whether one more value is within the bounds.
func fits(values map[string]string, name, value string) bool {
	if _, known := values[name]; !known && len(values) == maxKept {
		return false
	}
	size := len(name) + len(value)
	for n, v := range values {
		if n != name {
			size += len(n) + len(v)
		}
	}
	return size <= maxKeptBytes
}
