package manifest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/admission"
)

const (
	secretKind       = "Secret"
	listKind         = "List"
	defaultNamespace = "default"
)

// reading is one pass over the files of a folder.
type reading struct {
	schemas  *admission.Admission
	set      *Set
	problems []Problem
}

// file reads every document of one file.
func (r *reading) file(ctx context.Context, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		r.problems = append(r.problems, Problem{File: path, Message: err.Error()})
		return
	}
	for _, d := range split(path, text) {
		content, problem := d.parse()
		if problem != nil {
			r.problems = append(r.problems, *problem)
		}
		if content != nil {
			r.object(ctx, d, content)
		}
	}
}

// object takes one object into the set, or notes what is wrong with it.
func (r *reading) object(ctx context.Context, d *document, content map[string]any) {
	o := &unstructured.Unstructured{Object: content}
	gvk := o.GroupVersionKind()
	add, problem := r.accepts(gvk)
	if problem != "" {
		r.problems = append(r.problems, Problem{File: d.file, Line: d.begin(), Object: o.GetKind(), Message: problem})
	}
	if add == nil {
		return
	}
	if o.GetNamespace() == "" {
		// A metadata that is no object is reported by the schema.
		_ = unstructured.SetNestedField(content, defaultNamespace, "metadata", "namespace")
	}
	key := render.Object{Kind: gvk.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}
	if first, repeated := r.set.places[key]; repeated && key.Name != "" {
		r.problems = append(r.problems, Problem{
			File: d.file, Line: d.begin(), Object: gvk.Kind + "/" + key.Name, Field: "metadata.name",
			Message: fmt.Sprintf("namespace %q already has a %s of this name, in %s:%d",
				key.Namespace, gvk.Kind, first.document.file, first.document.begin()),
		})
		return
	}
	found := d.repeatedKeys(gvk.Kind + "/" + key.Name)
	take, problems := add(ctx, gvk, content)
	for _, wrong := range problems {
		wrong.File, wrong.Line, wrong.Object = d.file, d.lineOf(wrong.Field), gvk.Kind+"/"+key.Name
		found = append(found, wrong)
	}
	if take != nil {
		take()
	}
	r.set.places[key] = place{document: d, broken: take == nil, faulty: len(found) > 0}
	r.problems = append(r.problems, found...)
}

// adder judges one object. take puts it into the set; it is nil when the object cannot be used. One whose fields have the
// right form is taken whatever else is wrong, so that the rest is found as well.
type adder func(ctx context.Context, gvk schema.GroupVersionKind, content map[string]any) (take func(), problems []Problem)

// accepts returns what judges objects of a kind: nil for kinds that are none of Mailvane's business.
// The message says that the kind was probably meant otherwise.
func (r *reading) accepts(gvk schema.GroupVersionKind) (add adder, message string) {
	if gvk == corev1.SchemeGroupVersion.WithKind(secretKind) {
		return r.addSecret, ""
	}
	var names []string
	for _, known := range r.schemas.Kinds() {
		if gvk == known {
			return r.addCustom, ""
		}
		if gvk.Kind == known.Kind {
			return nil, fmt.Sprintf("apiVersion must be %s", known.GroupVersion())
		}
		names = append(names, known.Kind)
	}
	switch {
	case gvk.Kind == "" || gvk.Version == "":
		return nil, "apiVersion and kind must be set"
	case gvk.Group == v1alpha1.Group:
		return nil, unknown(gvk.Kind, "kind", names)
	case gvk.Kind == listKind:
		return nil, "a List is not read; write its items as documents of their own, with --- between them"
	default:
		return nil, ""
	}
}

// addCustom takes a WebhookEndpoint or an EventSink.
func (r *reading) addCustom(ctx context.Context, gvk schema.GroupVersionKind, content map[string]any) (func(), []Problem) {
	review := r.schemas.Create(ctx, gvk, content)
	var problems []Problem
	for _, path := range review.Unknown {
		parent, name := cutLast(path)
		problems = append(problems, Problem{Field: path, Message: unknown(name, "field", r.schemas.Fields(gvk, parent))})
	}
	for _, err := range review.Errors {
		problems = append(problems, Problem{Field: err.Field, Message: message(err)})
	}
	if review.RulesSkipped {
		problems = append(problems, Problem{Consequence: true, Message: "more may be wrong: some rules are only checked when all fields have the right form"})
	}
	if review.RulesSkipped {
		return nil, problems
	}
	take, err := r.typed(gvk.Kind, content)
	if err != nil {
		return nil, append(problems, Problem{Message: err.Error()})
	}
	return take, problems
}

// typed decodes an object that was admitted.
func (r *reading) typed(kind string, content map[string]any) (take func(), err error) {
	switch kind {
	case v1alpha1.WebhookEndpointKind:
		endpoint, err := decode[v1alpha1.WebhookEndpoint](content)
		return func() { r.set.Endpoints = append(r.set.Endpoints, endpoint) }, err
	default:
		sink, err := decode[v1alpha1.EventSink](content)
		return func() { r.set.Sinks = append(r.set.Sinks, sink) }, err
	}
}

func decode[T any](content map[string]any) (T, error) {
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &typed); err != nil {
		return typed, fmt.Errorf("decode the object: %w", err)
	}
	return typed, nil
}

func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// message returns what to write instead. It leaves the offending value out, which may be a credential in the wrong place,
// unless it is not one of an enumeration.
func message(err *field.Error) string {
	detail := strings.TrimPrefix(err.Detail, err.Field+" in body ")
	switch err.Type {
	case field.ErrorTypeRequired:
		if detail == "" {
			return "must be set"
		}
	case field.ErrorTypeNotSupported:
		return unknown(fmt.Sprint(err.BadValue), "value", supported(detail))
	case field.ErrorTypeTypeInvalid:
		return wrongType(detail)
	case field.ErrorTypeDuplicate:
		return "is listed a second time"
	default:
	}
	return detail
}

// supported takes the values out of "supported values: "A", "B"".
func supported(detail string) []string {
	_, values, _ := strings.Cut(detail, ": ")
	list := strings.Split(values, ", ")
	for i := range list {
		list[i] = strings.Trim(list[i], `"`)
	}
	slices.Sort(list)
	return list
}

// wrongType rewrites `must be of type string: "boolean"`, which YAML makes of words such as off and no.
func wrongType(detail string) string {
	want, got, found := strings.Cut(strings.TrimPrefix(detail, "must be of type "), ": ")
	if !found {
		return detail
	}
	got = strings.Trim(got, `"`)
	if want == "string" && got != "object" && got != "array" {
		return fmt.Sprintf("must be a string, and YAML reads this as %s; put it between quotation marks", got)
	}
	return fmt.Sprintf("must be of type %s, not %s", want, got)
}
