package admission

import (
	"maps"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kinds returns the kinds that a knows, sorted.
func (a *Admission) Kinds() []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(a.kinds), func(x, y schema.GroupVersionKind) int {
		return strings.Compare(x.String(), y.String())
	})
}

// Fields returns the names of the fields of the object at path, such as "spec.routes[0]", sorted; none if there is no such object.
func (a *Admission) Fields(gvk schema.GroupVersionKind, path string) []string {
	k := a.kinds[gvk]
	if k == nil {
		return nil
	}
	node := k.structural
	for name := range strings.SplitSeq(path, ".") {
		name, _, _ = strings.Cut(name, "[")
		if name != "" {
			node = child(node, name)
		}
	}
	if node == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(node.Properties))
}

// child returns the schema of a field, or of its items if it is a list; nil if there is no such field.
func child(node *structuralschema.Structural, name string) *structuralschema.Structural {
	if node == nil {
		return nil
	}
	property, found := node.Properties[name]
	switch {
	case !found:
		return nil
	case property.Items != nil:
		return property.Items
	default:
		return &property
	}
}
