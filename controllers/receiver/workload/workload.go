// Package workload makes receivers run: it writes what they consist of but for their configuration, and deletes what they consist of no longer.
package workload

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Applier writes and deletes objects, as package apply does.
type Applier interface {
	Apply(ctx context.Context, configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata) error
	Leave(ctx context.Context, configuration runtime.ApplyConfiguration) error
	Delete(ctx context.Context, o *metav1.PartialObjectMetadata) error
}

// Phase makes receivers run.
type Phase struct {
	// Applier writes and deletes.
	Applier Applier
	// Live reads Secrets that pods mount.
	Live client.Reader
	// Limits say what endpoints may ask for.
	Limits limits.Limits
	// Options are what all receivers have in common.
	Options children.Options
}

// Input is what one pass works on.
type Input struct {
	// Receivers are those that there are to be.
	Receivers []*plan.Receiver
	// Configurations are those in force, by receiver.
	Configurations map[string]configuration.Written
	// Objects are what receivers consist of.
	Objects inventory.Objects
	// Workloads are the Deployments and StatefulSets among them.
	Workloads inventory.Workloads
	// HasPods holds the receivers with pods, terminating ones included.
	HasPods map[string]bool
}

// Result is what one pass found of a receiver.
type Result struct {
	// Refused is set when an object could not be written, or may not be.
	Refused condition.Finding
	// Missing is set when a Secret that the pods mount is not there.
	Missing condition.Finding
	// After is when to look again; 0 = when something changes.
	After time.Duration
}

// Apply writes the objects of receivers. The result is by the name of the receiver.
func (p *Phase) Apply(ctx context.Context, in Input) (map[string]Result, error) {
	results := make(map[string]Result, len(in.Receivers))
	var errs []error
	for _, r := range in.Receivers {
		refused, err := p.applyOne(ctx, &in, r)
		result := Result{Refused: refused}
		if apply.IsForeign(refused) {
			result.After = requeue.Foreign
		}
		var missing error
		if !in.Workloads.Available(r.Name) {
			result.Missing, missing = p.missingSecret(ctx, r)
		}
		results[r.Name] = result
		errs = append(errs, err, missing)
	}
	return results, errors.Join(errs...)
}

// applyOne writes the objects of a receiver that has a configuration, without which they are of no use. A receiver that only serves until
// another one does stays as it is. The finding is that of the first object that could not be written.
func (p *Phase) applyOne(ctx context.Context, in *Input, r *plan.Receiver) (condition.Finding, error) {
	if in.Configurations[r.Name].Hash == "" || r.Retiring {
		return condition.Finding{}, nil
	}
	if f := p.notAllowed(r); !f.OK() {
		return f, nil
	}
	finding, err := notWritten(p.leaveReplicas(ctx, in, r))
	if err != nil {
		return finding, err
	}
	errs := []error{}
	for _, object := range r.Render(p.Options) {
		f, err := notWritten(p.Applier.Apply(ctx, object, in.Objects[inventory.IDOf(object)]))
		finding = condition.First(finding, f)
		errs = append(errs, err)
	}
	return finding, errors.Join(errs...)
}

// notWritten returns the finding of an object that could not be written.
func notWritten(err error) (condition.Finding, error) {
	return apply.Finding(err, "of the receiver, of which what runs stays as it was",
		"Mend what it names: a quota, a webhook or a policy of the cluster, spec.receiver, or the receiver defaults")
}

// notAllowed returns why a receiver must not be as it is asked to be.
func (p *Phase) notAllowed(r *plan.Receiver) condition.Finding {
	if r.IsAutoscaled() && r.HasClaims() {
		return condition.Finding{Reason: v1alpha1.ReasonInvalidSettings, Message: "spec.receiver.autoscaling: " +
			"must not be set together with the PersistentVolumeClaims of the receiver defaults; set spec.receiver.journal as well, or replicas"}
	}
	if r.Owner == nil {
		return condition.Finding{}
	}
	if why := p.Limits.Receiver(r.Owner.Spec.Receiver); why != "" {
		return condition.Finding{Reason: v1alpha1.ReasonNotAllowed, Message: why + ". What runs stays as it was"}
	}
	return condition.Finding{}
}

// leaveReplicas leaves the number of pods to an autoscaler that is about to be made. Unless this is done, the Deployment must not be
// applied without the number: the API server would make it 1.
func (p *Phase) leaveReplicas(ctx context.Context, in *Input, r *plan.Receiver) error {
	present, exists := in.Workloads[inventory.WorkloadID("Deployment", r.Name)]
	autoscaler := inventory.ID{Kind: schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, Name: r.Name}
	if !r.IsAutoscaled() || !exists || in.Objects[autoscaler] != nil {
		return nil
	}
	return p.Applier.Leave(ctx, r.KeepReplicas(present.Replicas))
}

// missingSecret returns why the pods of a receiver cannot start, as only the kubelet would otherwise report it: a Secret that they mount does
// not exist. When it is made, the kubelet mounts it by itself.
func (p *Phase) missingSecret(ctx context.Context, r *plan.Receiver) (condition.Finding, error) {
	keys := r.SecretKeys()
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		var secret corev1.Secret
		err := p.Live.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: name}, &secret)
		if apierrors.IsNotFound(err) {
			return condition.Finding{Reason: v1alpha1.ReasonSecretNotFound, Message: fmt.Sprintf(
				"The journal's Secret %q does not exist in namespace %q.", name, r.Namespace)}, nil
		}
		if err != nil {
			return condition.Finding{}, fmt.Errorf("read Secret %s: %w", name, err)
		}
		for _, key := range keys[name] {
			if len(secret.Data[key]) == 0 {
				return condition.Finding{Reason: v1alpha1.ReasonCredentialMissing, Message: fmt.Sprintf(
					"The journal's Secret %q has no key %q, or it is empty.", name, key)}, nil
			}
		}
	}
	return condition.Finding{}, nil
}
