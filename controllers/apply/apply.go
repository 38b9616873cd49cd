// Package apply writes the objects that the manager owns, by server-side apply with one field owner.
package apply

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// FieldOwner is the name under which the manager owns fields.
const FieldOwner = "mailvane"

// The names under which the manager owns fields that are no part of what it applies again and again.
const (
	// seedOwner owns what is written once and kept.
	seedOwner = "mailvane-seed"
	// leaveOwner owns what is about to become somebody else's.
	leaveOwner = "mailvane-leave"
)

// ForeignError says that an object with the name of one of ours belongs to somebody else. It is left as it is.
type ForeignError struct {
	// Kind and Name are the object's.
	Kind, Name string
}

// Error says what to do; it is the same each time.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s %q exists and is not managed by Mailvane; delete or rename it", e.Kind, e.Name)
}

// Applier writes objects and remembers what it wrote, so that what is as it should be costs no request.
// It is safe for concurrent use; an object must not be written twice at a time.
type Applier struct {
	client client.Client
	live   client.Reader

	mu      sync.Mutex
	applied map[object]record
}

type object struct{ kind, namespace, name string }

// record is what an object was applied as, and its version then.
type record struct {
	digest          [sha256.Size]byte
	resourceVersion string
}

// New returns an Applier that writes with c and reads with live what a cache may not know yet.
func New(c client.Client, live client.Reader) *Applier {
	return &Applier{client: c, live: live, applied: map[object]record{}}
}

// Apply makes an object what the configuration says, unless nothing has changed since the last time. cached is the object as
// the caller's cache knows it, nil when it does not. It returns a [ForeignError] instead of taking over an object, and a [FailedError] when the
// API server does not write it.
func (a *Applier) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata) error {
	document, err := json.Marshal(configuration)
	if err != nil {
		return fmt.Errorf("encode object: %w", err)
	}
	digest := sha256.Sum256(document)
	if a.isApplied(digest, cached, false) {
		return nil
	}
	u, err := decode(document)
	if err != nil {
		return err
	}
	if cached == nil || foreign(cached) { // a cache is behind, and does not know who owns which fields
		if current, err := a.own(ctx, u); err != nil || a.isApplied(digest, current, false) {
			return err
		}
	}
	if err := a.write(ctx, u, FieldOwner); err != nil {
		return err
	}
	a.remember(object{u.GetKind(), u.GetNamespace(), u.GetName()}, record{digest, u.GetResourceVersion()})
	return nil
}

// IsApplied says whether an object, nil when there is none, is as Apply or ApplyAs left it. same says that it is what it should be whoever has
// written it since.
func (a *Applier) IsApplied(configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata, same bool) (bool, error) {
	document, err := json.Marshal(configuration)
	if err != nil {
		return false, fmt.Errorf("encode object: %w", err)
	}
	return a.isApplied(sha256.Sum256(document), cached, same), nil
}

// ApplyAs is Apply of an object to which others add: own is what it is asked to be, and whole is own with what others have added to current, the
// object as the API server has it.
func (a *Applier) ApplyAs(ctx context.Context, own, whole runtime.ApplyConfiguration, current *metav1.PartialObjectMetadata) error {
	document, err := json.Marshal(own)
	if err != nil {
		return fmt.Errorf("encode object: %w", err)
	}
	u, err := encode(whole)
	if err != nil {
		return err
	}
	if foreign(current) {
		return &ForeignError{Kind: u.GetKind(), Name: u.GetName()}
	}
	if err := a.write(ctx, u, FieldOwner); err != nil {
		return err
	}
	a.remember(object{u.GetKind(), u.GetNamespace(), u.GetName()}, record{sha256.Sum256(document), u.GetResourceVersion()})
	return nil
}

// Seed writes what an object is to have once and keep, and what Apply says nothing of. The object has it already when it has the
// annotation. It returns a [ForeignError] instead of taking over an object.
func (a *Applier) Seed(ctx context.Context, configuration runtime.ApplyConfiguration, annotation string) error {
	u, err := encode(configuration)
	if err != nil {
		return err
	}
	current, err := a.own(ctx, u)
	if err != nil || (current != nil && current.Annotations[annotation] != "") {
		return err
	}
	return a.write(ctx, u, seedOwner)
}

// Leave keeps the fields of a configuration, which have these values already, when Apply has them no longer, until somebody else
// writes them. It is a conflict when they have other values: the caller's cache is behind, and has to be asked again.
func (a *Applier) Leave(ctx context.Context, configuration runtime.ApplyConfiguration) error {
	u, err := encode(configuration)
	if err != nil {
		return err
	}
	if err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(leaveOwner)); err != nil {
		return &FailedError{u.GetKind(), u.GetName(), err}
	}
	return nil
}

func encode(configuration runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	document, err := json.Marshal(configuration)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return decode(document)
}

func decode(document []byte) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(document, &u.Object); err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return u, nil
}

// own returns what the API server has, nil when it has nothing, and a [ForeignError] when that is not ours.
func (a *Applier) own(ctx context.Context, u *unstructured.Unstructured) (*metav1.PartialObjectMetadata, error) {
	current, err := a.read(ctx, u)
	if err != nil {
		return nil, err
	}
	if current != nil && foreign(current) {
		return nil, &ForeignError{Kind: u.GetKind(), Name: u.GetName()}
	}
	return current, nil
}

func (a *Applier) write(ctx context.Context, u *unstructured.Unstructured, owner client.FieldOwner) error {
	if err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), owner, client.ForceOwnership); err != nil {
		return &FailedError{u.GetKind(), u.GetName(), err}
	}
	return nil
}

// read returns what the API server has, nil when it has nothing.
func (a *Applier) read(ctx context.Context, u *unstructured.Unstructured) (*metav1.PartialObjectMetadata, error) {
	current := &metav1.PartialObjectMetadata{}
	current.SetGroupVersionKind(u.GroupVersionKind())
	err := a.live.Get(ctx, client.ObjectKeyFromObject(u), current)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // Absence is an answer here, and nil is what Apply takes for it.
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return current, nil
}

// foreign says whether an object is somebody else's: it has a controller other than an endpoint, or neither our label nor fields
// that we applied.
func foreign(o *metav1.PartialObjectMetadata) bool {
	if c := metav1.GetControllerOfNoCopy(o); c != nil &&
		(c.Kind != v1alpha1.WebhookEndpointKind || c.APIVersion != v1alpha1.GroupVersion().String()) {
		return true
	}
	return o.Labels[children.ManagedByLabel] != children.ManagedByValue &&
		!slices.ContainsFunc(o.ManagedFields, func(f metav1.ManagedFieldsEntry) bool {
			return f.Manager == FieldOwner && f.Operation == metav1.ManagedFieldsOperationApply
		})
}

// Changed says whether an object is no longer as Apply left it, as far as the caller's cache knows: nil when it knows none.
func (a *Applier) Changed(cached *metav1.PartialObjectMetadata) bool {
	if cached == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last, ok := a.applied[object{cached.Kind, cached.Namespace, cached.Name}]
	return !ok || isNewer(cached.ResourceVersion, last.resourceVersion)
}

// isNewer says whether a version comes after what was applied. One from before that comes from a cache that is behind.
func isNewer(version, applied string) bool {
	order, err := resourceversion.CompareResourceVersion(version, applied)
	return err != nil || order > 0
}

// isApplied says whether an object, nil when there is none, is as it was applied: nobody has written it since, or its caller says that it is the
// same all the same.
func (a *Applier) isApplied(digest [sha256.Size]byte, current *metav1.PartialObjectMetadata, same bool) bool {
	if current == nil || foreign(current) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last, ok := a.applied[object{current.Kind, current.Namespace, current.Name}]
	return ok && last.digest == digest && (same || !isNewer(current.ResourceVersion, last.resourceVersion))
}

func (a *Applier) remember(id object, r record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applied[id] = r
}

// Delete deletes an object that Apply wrote, and no other one of the same name.
func (a *Applier) Delete(ctx context.Context, o *metav1.PartialObjectMetadata) error {
	if foreign(o) {
		return nil
	}
	a.mu.Lock()
	delete(a.applied, object{o.Kind, o.Namespace, o.Name})
	a.mu.Unlock()
	err := a.client.Delete(ctx, o, client.Preconditions{UID: &o.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %s %s: %w", o.Kind, o.Name, err)
	}
	return nil
}
