// Package applytest stands in for package apply in the tests of what writes with it.
package applytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/apply"
)

// Applier writes nothing and remembers what it was asked to write. The zero value accepts everything.
type Applier struct {
	// Refuse holds, by kind or by kind and name with a slash between them, what the API server answers instead of writing.
	Refuse map[string]error
	// Foreign holds the names of objects, with their kind as in Refuse, that belong to somebody else.
	Foreign map[string]bool
	// Edited holds the names of objects that somebody else has changed.
	Edited map[string]bool
	// Requests are those that were made, such as "apply Service/mailvane-receiver", in their order.
	Requests []string
	// Objects are those that were written, by kind and name.
	Objects map[string]*unstructured.Unstructured
	// Left are those whose fields were left to others.
	Left map[string]*unstructured.Unstructured
}

// Apply remembers an object.
func (a *Applier) Apply(_ context.Context, configuration runtime.ApplyConfiguration, _ *metav1.PartialObjectMetadata) error {
	return a.write("apply", configuration, &a.Objects)
}

// ApplyAs remembers the whole object.
func (a *Applier) ApplyAs(_ context.Context, _, whole runtime.ApplyConfiguration, _ *metav1.PartialObjectMetadata) error {
	return a.write("apply", whole, &a.Objects)
}

// Seed remembers an object.
func (a *Applier) Seed(_ context.Context, configuration runtime.ApplyConfiguration, _ string) error {
	return a.write("seed", configuration, &a.Objects)
}

// Leave remembers an object.
func (a *Applier) Leave(_ context.Context, configuration runtime.ApplyConfiguration) error {
	return a.write("leave", configuration, &a.Left)
}

// IsApplied reports whether the object was written and nobody has edited it, or the caller says that it is the same.
func (a *Applier) IsApplied(configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata, same bool) (bool, error) {
	o, err := decode(configuration)
	if err != nil {
		return false, err
	}
	return cached != nil && a.Objects[id(o)] != nil && (same || !a.Edited[o.GetName()]), nil
}

// Changed reports whether an object is not there, or was edited.
func (a *Applier) Changed(cached *metav1.PartialObjectMetadata) bool {
	return cached == nil || a.Edited[cached.GetName()]
}

// Delete remembers that an object was deleted.
func (a *Applier) Delete(_ context.Context, o *metav1.PartialObjectMetadata) error {
	key := o.Kind + "/" + o.Name
	a.Requests = append(a.Requests, "delete "+key)
	delete(a.Objects, key)
	return a.refusal(o.Kind, o.Name)
}

func (a *Applier) write(verb string, configuration runtime.ApplyConfiguration, to *map[string]*unstructured.Unstructured) error {
	o, err := decode(configuration)
	if err != nil {
		return err
	}
	a.Requests = append(a.Requests, verb+" "+id(o))
	if err := a.refusal(o.GetKind(), o.GetName()); err != nil {
		return err
	}
	if *to == nil {
		*to = map[string]*unstructured.Unstructured{}
	}
	(*to)[id(o)] = o
	return nil
}

func (a *Applier) refusal(kind, name string) error {
	if a.Foreign[kind] || a.Foreign[kind+"/"+name] {
		return &apply.ForeignError{Kind: kind, Name: name}
	}
	return errors.Join(a.Refuse[kind], a.Refuse[kind+"/"+name])
}

func decode(configuration runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	document, err := json.Marshal(configuration)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal(document, &o.Object); err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	return o, nil
}

func id(o client.Object) string { return o.GetObjectKind().GroupVersionKind().Kind + "/" + o.GetName() }
