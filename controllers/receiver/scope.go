package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// foreignRetry is when an object that belongs to somebody else is looked at again: the cache does not see it go.
const foreignRetry = time.Minute

// scope is everything that one pass knows.
type scope struct {
	namespace string
	memory    *memory

	// Set by gather.
	endpoints      []v1alpha1.WebhookEndpoint
	sinks          []v1alpha1.EventSink
	secretVersions map[string]string                                  // of the referenced Secrets that exist, by name
	children       map[schema.GroupKind]*metav1.PartialObjectMetadata // that exist
	available      bool                                               // a pod of the Deployment is
	pods           []corev1.Pod                                       // that are ready

	// Set by configure, apply and program.
	unwritten condition.Finding // the configuration could not be written
	obstacle  condition.Finding // an object could not be written
	loaded    condition.Finding // the pods have not loaded the configuration
	after     time.Duration     // when to look again; 0 = when something changes
}

// metadataKinds returns the kinds of the receiver's objects of which only metadata is read. Each is watched.
func metadataKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind("Secret"),
		corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
		corev1.SchemeGroupVersion.WithKind("Service"),
		networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
		policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
	}
}

func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

// gather reads what the cache has.
func (r *Reconciler) gather(ctx context.Context, namespace string) (*scope, error) {
	s := &scope{
		namespace: namespace, memory: r.remember(namespace),
		secretVersions: map[string]string{}, children: map[schema.GroupKind]*metav1.PartialObjectMetadata{},
	}
	if err := r.gatherObjects(ctx, s); err != nil {
		return nil, err
	}
	if err := r.gatherSecrets(ctx, s); err != nil {
		return nil, err
	}
	if err := r.gatherChildren(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// gatherObjects reads the endpoints and sinks that are not about to go.
func (r *Reconciler) gatherObjects(ctx context.Context, s *scope) error {
	var endpoints v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &endpoints, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list endpoints: %w", err)
	}
	var sinks v1alpha1.EventSinkList
	if err := r.Client.List(ctx, &sinks, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list sinks: %w", err)
	}
	s.endpoints = slices.DeleteFunc(endpoints.Items, func(e v1alpha1.WebhookEndpoint) bool { return !e.DeletionTimestamp.IsZero() })
	s.sinks = slices.DeleteFunc(sinks.Items, func(e v1alpha1.EventSink) bool { return !e.DeletionTimestamp.IsZero() })
	for i := range s.endpoints {
		if e, ok := s.memory.newer(&s.endpoints[i]).(*v1alpha1.WebhookEndpoint); ok {
			s.endpoints[i].Status = e.Status
		}
	}
	for i := range s.sinks {
		if e, ok := s.memory.newer(&s.sinks[i]).(*v1alpha1.EventSink); ok {
			s.sinks[i].Status = e.Status
		}
	}
	return nil
}

// gatherSecrets reads the versions of the referenced Secrets. The configuration itself is none: it would contain itself.
func (r *Reconciler) gatherSecrets(ctx context.Context, s *scope) error {
	names := map[string]bool{}
	for i := range s.endpoints {
		maps.Insert(names, set(render.EndpointSecrets(&s.endpoints[i])))
	}
	for i := range s.sinks {
		maps.Insert(names, set(render.SinkSecrets(&s.sinks[i])))
	}
	delete(names, children.ConfigSecretName)
	for name := range names {
		secret := metadataOf(corev1.SchemeGroupVersion.WithKind("Secret"))
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, secret)
		if err == nil {
			s.secretVersions[name] = secret.ResourceVersion
		} else if !apierrors.IsNotFound(err) {
			return fmt.Errorf("read metadata of Secret %s: %w", name, err)
		}
	}
	return nil
}

func set(names []string) func(yield func(string, bool) bool) {
	return func(yield func(string, bool) bool) {
		for _, name := range names {
			if !yield(name, true) {
				return
			}
		}
	}
}

func (r *Reconciler) gatherChildren(ctx context.Context, s *scope) error {
	for _, kind := range metadataKinds() {
		name := children.Name
		if kind.Kind == "Secret" {
			name = children.ConfigSecretName
		}
		object := metadataOf(kind)
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, object)
		if err == nil {
			s.children[kind.GroupKind()] = object
		} else if !apierrors.IsNotFound(err) {
			return fmt.Errorf("read %s: %w", kind.Kind, err)
		}
	}
	var deployment appsv1.Deployment
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: children.Name}, &deployment)
	if err == nil {
		kind := appsv1.SchemeGroupVersion.WithKind("Deployment")
		object := metadataOf(kind)
		object.ObjectMeta = deployment.ObjectMeta
		s.children[kind.GroupKind()] = object
		s.available = deployment.Status.AvailableReplicas > 0
	} else if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read Deployment: %w", err)
	}
	return r.gatherPods(ctx, s)
}

func (r *Reconciler) gatherPods(ctx context.Context, s *scope) error {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(children.Selector())); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	s.pods = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return !isReady(&p) })
	return nil
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && pod.Status.PodIP != "" &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
}

// child returns the object that is there in place of a rendered one; nil when the cache knows none.
func (s *scope) child(rendered runtime.ApplyConfiguration) *metav1.PartialObjectMetadata {
	var named metav1.PartialObjectMetadata
	document, err := json.Marshal(rendered)
	if err != nil || json.Unmarshal(document, &named) != nil {
		return nil
	}
	return s.children[named.GroupVersionKind().GroupKind()]
}

// note keeps why an object is not as it should be. An object that belongs to somebody else is looked at again later; what the
// API server refuses, for example for a quota, is an error as well.
func (s *scope) note(err error) error {
	var foreign *apply.ForeignError
	switch {
	case errors.As(err, &foreign):
		s.obstacle = condition.First(s.obstacle, condition.Finding{Reason: v1alpha1.ReasonNameTaken, Message: foreign.Error()})
		s.lookAgain(foreignRetry)
		return nil
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		s.obstacle = condition.First(s.obstacle, condition.Finding{
			Reason:  v1alpha1.ReasonApplyFailed,
			Message: "The API server refuses an object of the receiver; the manager's log says which and why.",
		})
	}
	return err
}

// lookAgain asks for another pass after a time, or sooner.
func (s *scope) lookAgain(after time.Duration) {
	if s.after == 0 || after < s.after {
		s.after = after
	}
}

// base returns where the receiver is reached in the cluster.
func (s *scope) base() string {
	return fmt.Sprintf("http://%s.%s.svc:%d", children.Name, s.namespace, children.WebhookPort)
}
