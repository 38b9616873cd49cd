package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
)

// Content says what of an event a sink gets. The zero Content is all of it.
type Content struct {
	// Raw is Keep or Drop; empty = Keep.
	Raw string `json:"raw,omitzero"`
	// Fields say what becomes of fields of the record; those that are not named are kept.
	Fields []ContentField `json:"fields,omitzero"`
	// HashKey is the key of what is hashed.
	HashKey string `json:"hashKey,omitzero"`
}

// ContentField says what becomes of one field.
type ContentField struct {
	// Name is that of [event.Fields], or of one member of a map, such as "metadata.order_id", which goes before "metadata.*".
	Name string `json:"name"`
	// As is Keep, Drop, Mask or Hash.
	As string `json:"as"`
}

// The values of Content.Raw and ContentField.As.
const (
	// ContentKeep sends a field as it is, and ContentDrop without it.
	ContentKeep = "Keep"
	ContentDrop = "Drop"
	// ContentMask leaves of an address its first letter and its domain, of an IP address its network, and of other texts nothing.
	ContentMask = "Mask"
	// ContentHash sends the HMAC-SHA256 of a text under HashKey, in lower-case hexadecimal.
	ContentHash = "Hash"
)

// MinHashKeyBytes is the length from which a key cannot be found by trying: who has it can try addresses.
const MinHashKeyBytes = 16

// Check says what is wrong with c and what to change. No error holds the key.
func (c *Content) Check() error {
	errs := []error{c.checkRaw()}
	seen := map[string]bool{}
	for i, f := range c.Fields {
		if err := f.check(); err != nil {
			errs = append(errs, fmt.Errorf("fields[%d].%w", i, err))
		}
		if seen[f.Name] {
			errs = append(errs, fmt.Errorf("fields[%d].name: %q is there twice", i, f.Name))
		}
		seen[f.Name] = true
	}
	if slices.ContainsFunc(c.Fields, func(f ContentField) bool { return f.As == ContentHash }) && len(c.HashKey) < MinHashKeyBytes {
		errs = append(errs, fmt.Errorf("hashKeyRef must name a key of at least %d bytes when a field is hashed; make one with: openssl rand -hex 32", MinHashKeyBytes))
	}
	return errors.Join(errs...)
}

func (c *Content) checkRaw() error {
	switch c.Raw {
	case ContentDrop:
		return nil
	case "", ContentKeep:
	default:
		return fmt.Errorf("raw must be %s or %s", ContentKeep, ContentDrop)
	}
	if c.Changes() {
		return errors.New("raw must be Drop when a field is dropped, masked or hashed: the provider's own JSON holds the field, too")
	}
	return nil
}

// Changes reports whether a field is not kept.
func (c *Content) Changes() bool {
	return slices.ContainsFunc(c.Fields, func(f ContentField) bool { return f.As != ContentKeep })
}

// check says what is wrong with one field, beginning with the name of the member.
func (f *ContentField) check() error {
	if !slices.Contains([]string{ContentKeep, ContentDrop, ContentMask, ContentHash}, f.As) {
		return fmt.Errorf("as must be %s, %s, %s or %s", ContentKeep, ContentDrop, ContentMask, ContentHash)
	}
	if slices.Contains(identifying(), f.Name) {
		return fmt.Errorf("name: %q says which event it is and is always sent", f.Name)
	}
	if f.Name == "raw" {
		return errors.New(`name: "raw" is set by content.raw`)
	}
	field, err := fieldOf(f.Name)
	if err == nil && !field.Text && (f.As == ContentMask || f.As == ContentHash) {
		return fmt.Errorf("as must be %s or %s for %q, which is no free text", ContentKeep, ContentDrop, f.Name)
	}
	return err
}

// fieldOf returns the field that a name is of. The error says which names there are.
func fieldOf(name string) (event.Field, error) {
	var names []string
	for _, field := range event.Fields() {
		member, isMap := strings.CutSuffix(field.Name, "*")
		switch {
		case name == field.Name || isMap && len(name) > len(member) && strings.HasPrefix(name, member):
			return field, nil
		case name+"." == member:
			return event.Field{}, fmt.Errorf("name: write %q for all of %s, or %s and a name for one", field.Name, name, member)
		case !slices.Contains(identifying(), field.Name):
			names = append(names, field.Name)
		}
	}
	return event.Field{}, fmt.Errorf("name: events have no field %q; it must be one of %s", name, strings.Join(names, ", "))
}

// identifying are the fields without which an event is none, and the one without which it looks like another.
func identifying() []string { return []string{"id", "type", "provider", "time", "unverified"} }
