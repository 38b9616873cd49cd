package receiver

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// SecretIndex is the field index of endpoints and sinks by the names of the Secrets that they refer to.
const SecretIndex = "secretNames"

// namespacesAtOnce bounds the namespaces that are reconciled at a time.
const namespacesAtOnce = 4

// What the manager may do. It reads from its cache (list, watch) but for Secrets and for objects that may be somebody else's (get),
// and writes its own objects alone, which RBAC knows by their names.
//
// +kubebuilder:rbac:groups=mailvane.dev,resources=webhookendpoints;eventsinks,verbs=list;watch
// +kubebuilder:rbac:groups=mailvane.dev,resources=webhookendpoints/status;eventsinks/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets;services;serviceaccounts,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;patch;delete,resourceNames=mailvane-receiver-config
// +kubebuilder:rbac:groups="",resources=services;serviceaccounts,verbs=create;patch;delete,resourceNames=mailvane-receiver
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=create;patch;delete,resourceNames=mailvane-receiver
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=create;patch;delete,resourceNames=mailvane-receiver
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=create;patch;delete,resourceNames=mailvane-receiver
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the Reconciler to a manager, whose cache has the [SecretIndex]. Everything leads to its namespace.
func (r *Reconciler) Register(mgr manager.Manager) error {
	byNamespace := handler.EnqueueRequestsFromMapFunc(namespaceOf)
	b := builder.ControllerManagedBy(mgr).
		Named("receiver").
		WithOptions(controller.Options{MaxConcurrentReconciles: namespacesAtOnce}).
		Watches(&v1alpha1.WebhookEndpoint{}, byNamespace, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.EventSink{}, byNamespace, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&appsv1.Deployment{}, byNamespace).
		Watches(&corev1.Pod{}, byNamespace, builder.WithPredicates(readinessChanged()))
	for _, kind := range metadataKinds() {
		toNamespace := byNamespace
		if kind.Kind == "Secret" {
			toNamespace = handler.EnqueueRequestsFromMapFunc(r.usersOfSecret)
		}
		b = b.WatchesMetadata(metadataOf(kind), toNamespace, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{}))
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("register controller: %w", err)
	}
	return nil
}

func namespaceOf(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: children.Name}}}
}

// usersOfSecret returns the Secret's namespace when a receiver has to do with the Secret.
func (r *Reconciler) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	if secret.GetName() == children.ConfigSecretName {
		return namespaceOf(ctx, secret)
	}
	for _, users := range []client.ObjectList{&v1alpha1.WebhookEndpointList{}, &v1alpha1.EventSinkList{}} {
		err := r.Client.List(ctx, users, client.InNamespace(secret.GetNamespace()), client.MatchingFields{SecretIndex: secret.GetName()}, client.Limit(1))
		if err != nil {
			log.FromContext(ctx).Error(err, "who uses a Secret is not known; its namespace is reconciled")
			return namespaceOf(ctx, secret)
		}
		if hasItems(users) {
			return namespaceOf(ctx, secret)
		}
	}
	return nil
}

func hasItems(list client.ObjectList) bool {
	switch l := list.(type) {
	case *v1alpha1.WebhookEndpointList:
		return len(l.Items) > 0
	case *v1alpha1.EventSinkList:
		return len(l.Items) > 0
	default:
		return false
	}
}

// readinessChanged passes a pod that begins or ceases to be ready.
func readinessChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, wasPod := e.ObjectOld.(*corev1.Pod)
		is, isPod := e.ObjectNew.(*corev1.Pod)
		return !wasPod || !isPod || isReady(was) != isReady(is)
	}}
}
