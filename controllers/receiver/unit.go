package receiver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// unit is one receiver of the namespace.
type unit struct {
	children.Receiver
	memory *receiverMemory

	// Set by gather.
	objects   []runtime.ApplyConfiguration // that it consists of, but for its configuration
	retiring  bool                         // its endpoint wants another receiver, and it serves until that one does
	serves    []string                     // the endpoints in its configuration
	available bool                         // one of its pods is
	pods      []corev1.Pod                 // that are not about to go
	answers   map[types.UID]answer         // of the pods, set by askPods

	// Set by configure, apply and program.
	unwritten condition.Finding // the configuration could not be written
	obstacle  condition.Finding // an object could not be written
	journal   condition.Finding // the journal of a pod does not take events
	damage    string            // what the journal of a pod has lost
	missing   condition.Finding // a Secret that the pods mount is not there
	loaded    condition.Finding // the pods have not loaded the configuration
	troubles  []config.Problem  // what its pods tell of endpoints
	behind    bool              // a pod has not loaded the configuration, or not the manager's token
}

// receiverName returns the name of the receiver that an endpoint asks for.
func receiverName(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Receiver != nil {
		return children.DedicatedName(e.Name)
	}
	return children.Name
}

// units returns the receivers of a namespace. An endpoint that moves from one to another is served by both until the new one does.
func (r *Reconciler) units(s *scope) []*unit {
	shared := r.newUnit(s, children.Receiver{Name: children.Name, Spec: r.Receiver.Defaults})
	paths := map[string]bool{} // of the shared receiver's own endpoints
	for i := range s.endpoints {
		if e := &s.endpoints[i]; e.Spec.Receiver == nil {
			shared.serves, paths[e.Path()] = append(shared.serves, e.Name), true
		}
	}
	var dedicated []*unit
	for i := range s.endpoints {
		e := &s.endpoints[i]
		if e.Spec.Receiver != nil || leaves(e) {
			dedicated = append(dedicated, r.dedicatedUnit(s, e))
		}
		if e.Spec.Receiver != nil && leaves(e) && !paths[e.Path()] {
			shared.serves = append(shared.serves, e.Name)
		}
	}
	if len(shared.serves) > 0 || s.sharedIsKept() {
		return append([]*unit{shared}, dedicated...)
	}
	return dedicated
}

// leaves says whether an endpoint is still served by a receiver that it does not ask for any more.
func leaves(e *v1alpha1.WebhookEndpoint) bool {
	return e.Status.Receiver != "" && e.Status.Receiver != receiverName(e)
}

// dedicatedUnit returns the receiver of one endpoint, which wants it or has just wanted it.
func (r *Reconciler) dedicatedUnit(s *scope, e *v1alpha1.WebhookEndpoint) *unit {
	receiver := children.Receiver{Name: children.DedicatedName(e.Name), Owner: e}
	if e.Spec.Receiver != nil {
		receiver.Spec = children.Inherit(r.Receiver.Defaults, *e.Spec.Receiver)
	}
	u := r.newUnit(s, receiver)
	u.serves, u.retiring = []string{e.Name}, e.Spec.Receiver == nil
	return u
}

// sharedIsKept says whether the shared receiver stays although no endpoint uses it: as long as there are sinks, its pods may still
// owe them events. Who knows better deletes its configuration.
func (s *scope) sharedIsKept() bool {
	return len(s.sinks) > 0 && s.configSecret(children.Name) != nil
}

func (r *Reconciler) newUnit(s *scope, receiver children.Receiver) *unit {
	receiver.Namespace = s.namespace
	u := &unit{
		Receiver: receiver, memory: s.memory.receiver(receiver.Name), pods: s.pods[receiver.Name], objects: receiver.Render(r.Receiver),
	}
	if secret := s.configSecret(receiver.Name); secret != nil && u.memory.hash == "" { // the manager has just started
		u.memory.hash = secret.Annotations[children.ConfigHashAnnotation]
	}
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		u.available = u.available || s.workloads[workloadID(kind, receiver.Name)].available
	}
	return u
}

func workloadID(kind, name string) child {
	return child{schema.GroupKind{Group: "apps", Kind: kind}, name}
}

// ready returns the pods that take requests.
func (u *unit) ready() []*corev1.Pod {
	var ready []*corev1.Pod
	for i := range u.pods {
		if isReady(&u.pods[i]) {
			ready = append(ready, &u.pods[i])
		}
	}
	return ready
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && pod.Status.PodIP != "" &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
}

// note keeps why an object is not as it should be. An object that belongs to somebody else is looked at again later; one that could
// not be written, for whatever reason, is an error as well.
func (u *unit) note(s *scope, err error) error {
	if foreign, ok := errors.AsType[*apply.ForeignError](err); ok {
		u.obstacle = condition.First(u.obstacle, condition.Finding{Reason: v1alpha1.ReasonNameTaken, Message: foreign.Error()})
		s.lookAgain(foreignRetry)
		return nil
	}
	if err != nil {
		u.obstacle = condition.First(u.obstacle, applyFailed(err, "of the receiver, of which what runs stays as it was",
			"Mend what it names: a quota, a webhook or a policy of the cluster, spec.receiver, or the receiver defaults"))
	}
	return err
}

// applyFailed is the finding of an object that could not be written: which one it is, what the API server says, and what to do.
func applyFailed(err error, of, remedy string) condition.Finding {
	object, words := "an object", "the manager's log says why"
	if failed, ok := errors.AsType[*apply.FailedError](err); ok {
		object, words = fmt.Sprintf("%s %q", failed.Kind, failed.Name), failed.Words()
	}
	return condition.Finding{Reason: v1alpha1.ReasonApplyFailed, Message: fmt.Sprintf(
		"The API server did not take %s %s: %s. %s; the manager tries again by itself.", object, of, strings.TrimRight(words, ". \n"), remedy)}
}

// receiverFinding says whether the endpoints have a receiver. One that runs is there although the API server refuses a change of it,
// which Programmed tells, but of no use when a name of its objects leads elsewhere, or when its journal takes nothing.
func (u *unit) receiverFinding() condition.Finding {
	switch {
	case u.obstacle.Reason == v1alpha1.ReasonNameTaken:
		return u.obstacle
	case !u.journal.OK():
		return u.journal
	case u.available:
		return condition.Finding{}.Warn(u.damage)
	default:
		return condition.First(u.obstacle, u.missing, podFinding(u), u.noPod())
	}
}

// noPod is the finding of a receiver without a pod that takes requests.
func (u *unit) noPod() condition.Finding {
	return condition.Finding{
		Reason:  v1alpha1.ReasonMinimumReplicasUnavailable,
		Message: fmt.Sprintf("No pod of the receiver is ready; see %s %s.", u.kind(), u.Name),
	}
}

// kind returns the kind of what makes the pods.
func (u *unit) kind() string {
	if u.HasClaims() {
		return "StatefulSet"
	}
	return "Deployment"
}

// base returns where a receiver is reached in the cluster.
func base(namespace, receiver string) string {
	return fmt.Sprintf("http://%s.%s.svc:%d", receiver, namespace, children.WebhookPort)
}
