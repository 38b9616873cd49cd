package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// apply writes the objects of a receiver but for its configuration, without which they are of no use. An object that belongs to
// somebody else, and one that the API server refuses, is a finding. A receiver that only serves until another one does stays as it is.
func (r *Reconciler) apply(ctx context.Context, s *scope, u *unit) error {
	if u.memory.hash == "" || u.retiring {
		return nil
	}
	if u.IsAutoscaled() && u.HasClaims() {
		u.obstacle = condition.First(u.obstacle, condition.Finding{Reason: v1alpha1.ReasonInvalidSettings, Message: "spec.receiver.autoscaling: " +
			"must not be set together with the PersistentVolumeClaims of the receiver defaults; set spec.receiver.journal as well, or replicas"})
		return nil
	}
	if u.Owner != nil {
		if why := r.Limits.Receiver(u.Owner.Spec.Receiver); why != "" {
			u.obstacle = condition.First(u.obstacle, condition.Finding{Reason: v1alpha1.ReasonNotAllowed, Message: why + ". What runs stays as it was"})
			return nil
		}
	}
	if err := u.note(s, r.leaveReplicas(ctx, s, u)); err != nil {
		return err
	}
	var errs []error
	for _, object := range u.objects {
		errs = append(errs, u.note(s, r.applier.Apply(ctx, object, s.children[identity(object)])))
	}
	return errors.Join(errs...)
}

// leaveReplicas leaves the number of pods to an autoscaler that is about to be made. Unless this is done, the Deployment must not be
// applied without the number: the API server would make it 1.
func (r *Reconciler) leaveReplicas(ctx context.Context, s *scope, u *unit) error {
	present, there := s.workloads[workloadID("Deployment", u.Name)]
	autoscaler := child{schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, u.Name}
	if !u.IsAutoscaled() || !there || s.children[autoscaler] != nil {
		return nil
	}
	return r.applier.Leave(ctx, u.KeepReplicas(present.replicas))
}

// checkMounts looks, while no pod is available, for a reason that nobody but the kubelet would say: a Secret that the pods mount
// and that is not there. It is there in time when the kubelet looks again.
func (r *Reconciler) checkMounts(ctx context.Context, u *unit) error {
	if u.available {
		return nil
	}
	keys := u.SecretKeys()
	for _, name := range sortedKeys(keys) {
		var secret corev1.Secret
		err := r.Live.Get(ctx, client.ObjectKey{Namespace: u.Namespace, Name: name}, &secret)
		if apierrors.IsNotFound(err) {
			u.missing = condition.Finding{Reason: v1alpha1.ReasonSecretNotFound, Message: fmt.Sprintf(
				"The journal's Secret %q does not exist in namespace %q.", name, u.Namespace)}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read Secret %s: %w", name, err)
		}
		for _, key := range keys[name] {
			if len(secret.Data[key]) == 0 {
				u.missing = condition.Finding{Reason: v1alpha1.ReasonCredentialMissing, Message: fmt.Sprintf(
					"The journal's Secret %q has no key %q, or it is empty.", name, key)}
				return nil
			}
		}
	}
	return nil
}

// prune deletes what no receiver consists of any more. Of a receiver that changes its form, for example from a Deployment to a
// StatefulSet, the old objects go when a pod of the new form is available, and what pods need to stop in order goes after them. The
// NetworkPolicy goes after the last pod, whose admin port anybody could reach without it.
func (r *Reconciler) prune(ctx context.Context, s *scope) error {
	wanted := map[child]bool{}
	for _, u := range s.units {
		wanted[secretID(children.ConfigSecretName(u.Name))] = true
		for _, right := range access.Rights() {
			wanted[secretID(children.AdminSecretName(u.Name, right))] = true
		}
		for _, object := range u.objects {
			wanted[identity(object)] = true
		}
	}
	var errs []error
	for id, object := range s.children {
		name, _ := receiverOf(object)
		u, shuts := s.named[name], id.kind.Kind == "NetworkPolicy"
		if wanted[id] || (u != nil && !u.mayGo(s, id)) || (shuts && s.peopled[name]) {
			continue
		}
		if err := r.applier.Delete(ctx, object); err != nil {
			errs = append(errs, fmt.Errorf("remove what receiver %s consisted of: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// mayGo says whether an object that a receiver does not consist of any more is of no use to its pods.
func (u *unit) mayGo(s *scope, id child) bool {
	if u.retiring || !s.workloads[workloadID(u.kind(), u.Name)].available {
		return false
	}
	if _, isWorkload := s.workloads[id]; isWorkload {
		return true
	}
	other := slices.DeleteFunc([]string{"Deployment", "StatefulSet"}, func(kind string) bool { return kind == u.kind() })
	return s.children[workloadID(other[0], u.Name)] == nil
}
