package upkeep

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// SecretIndex is the field index of endpoints by the names of the Secrets that their webhooks are registered with.
const SecretIndex = "registrationSecretNames"

// atOnce bounds the webhooks that are looked at at a time, each at an account of its own.
const atOnce = 8

// The manager puts a finalizer on endpoints whose webhook is to be removed with them, and takes it away again.
//
// +kubebuilder:rbac:groups=mailvane.dev,resources=webhookendpoints,verbs=list;watch;patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the Reconciler to a manager, whose cache has the [SecretIndex].
func (r *Reconciler) Register(mgr manager.Manager) error {
	err := builder.ControllerManagedBy(mgr).
		Named("registration").
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce}).
		Watches(&v1alpha1.WebhookEndpoint{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		WatchesMetadata(secretMetadata(), handler.EnqueueRequestsFromMapFunc(r.usersOfSecret), builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})).
		WatchesMetadata(secretMetadata(), handler.EnqueueRequestsFromMapFunc(r.ownerOfSecret), builder.WithPredicates(onlyDeleted())).
		Complete(r)
	if err != nil {
		return fmt.Errorf("register controller: %w", err)
	}
	return nil
}

func secretMetadata() *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return object
}

// onlyDeleted passes nothing but the end of an object.
func onlyDeleted() predicate.Predicate {
	never := func(event.CreateEvent) bool { return false }
	return predicate.Funcs{
		CreateFunc: never, UpdateFunc: func(event.UpdateEvent) bool { return false }, GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// usersOfSecret returns the endpoints whose webhooks are registered with a Secret.
func (r *Reconciler) usersOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	var users v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &users, client.InNamespace(secret.GetNamespace()), client.MatchingFields{SecretIndex: secret.GetName()}); err != nil {
		log.FromContext(ctx).Error(err, "list endpoints that are registered with a Secret")
		return nil
	}
	requests := make([]reconcile.Request, len(users.Items))
	for i := range users.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&users.Items[i])
	}
	return requests
}

// ownerOfSecret returns the endpoint whose Secret is gone, and has it looked at: the keys in it are needed.
func (r *Reconciler) ownerOfSecret(_ context.Context, secret client.Object) []reconcile.Request {
	owner := metav1.GetControllerOf(secret)
	if owner == nil || owner.Kind != v1alpha1.WebhookEndpointKind || secret.GetName() != children.RegistrationSecretName(owner.Name) {
		return nil
	}
	key := client.ObjectKey{Namespace: secret.GetNamespace(), Name: owner.Name}
	r.schedule.forget(key)
	return []reconcile.Request{{NamespacedName: key}}
}

// version returns that of a Secret in the cache; empty when it has none.
func (r *Reconciler) version(ctx context.Context, namespace, name string) (string, error) {
	object := secretMetadata()
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read Secret %s: %w", name, err)
	}
	return object.ResourceVersion, nil
}
