package receiver

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/exposure"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// SecretIndex is the field index of endpoints and sinks by the names of the Secrets that they refer to.
const SecretIndex = "secretNames"

// namespacesAtOnce bounds the namespaces that are reconciled at a time. A pass takes as long as pods are asked, of which some may hang: a few
// namespaces with such pods must not keep the others waiting.
const namespacesAtOnce = 16

// What the manager may do. It reads from its cache (list, watch), except Secrets and objects that may be somebody else's (get).
// What it writes cannot be named here: a dedicated receiver is named after its endpoint, and RBAC knows no patterns. The manager
// itself leaves alone what is not its own.
//
// +kubebuilder:rbac:groups=mailvane.dev,resources=webhookendpoints;eventsinks,verbs=list;watch
// +kubebuilder:rbac:groups=mailvane.dev,resources=webhookendpoints/status;eventsinks/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets;services;serviceaccounts,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies;ingresses,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Register adds the Reconciler to a manager, whose cache has the [SecretIndex]. Everything leads to its namespace.
func (r *Reconciler) Register(mgr manager.Manager) error {
	byNamespace := handler.EnqueueRequestsFromMapFunc(namespaceOf)
	b := builder.ControllerManagedBy(mgr).
		Named("receiver").
		WithOptions(controller.Options{MaxConcurrentReconciles: namespacesAtOnce}).
		Watches(&v1alpha1.WebhookEndpoint{}, handler.EnqueueRequestsFromMapFunc(r.neighbours), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.EventSink{}, byNamespace, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&appsv1.Deployment{}, byNamespace).
		Watches(&appsv1.StatefulSet{}, byNamespace).
		Watches(&networkingv1.Ingress{}, byNamespace).
		Watches(&corev1.Pod{}, r.onPods(), builder.WithPredicates(podChanged()))
	for _, kind := range inventory.MetadataKinds() {
		toNamespace := byNamespace
		if kind.Kind == "Secret" {
			toNamespace = handler.EnqueueRequestsFromMapFunc(r.usersOfSecret)
		}
		b = b.WatchesMetadata(inventory.MetadataOf(kind), toNamespace, builder.WithPredicates(predicate.ResourceVersionChangedPredicate{}))
	}
	if r.RegisteredChanges != nil {
		b = b.WatchesRawSource(source.Channel(r.RegisteredChanges, byNamespace))
	}
	c, err := b.Build(r)
	if err != nil {
		return fmt.Errorf("register controller: %w", err)
	}
	routes, err := exposure.WatchRoutes(mgr, c, r.Now, namespaceOf)
	if err != nil {
		return err
	}
	r.exposure.Routes = routes
	return nil
}

// request is what makes a pass over a namespace.
type request = reconcile.Request

// neighbours returns the namespace of an endpoint, and those of the endpoints at the same URL: which of them has it may change.
func (r *Reconciler) neighbours(ctx context.Context, o client.Object) []request {
	requests := namespaceOf(ctx, o)
	e, ok := o.(*v1alpha1.WebhookEndpoint)
	if !ok || e.Spec.Exposure == nil {
		return requests
	}
	var all v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &all, client.MatchingFields{exposure.URLIndex: exposure.At(e)}); err != nil {
		log.FromContext(ctx).Error(err, "list endpoints at the same URL")
		return requests
	}
	for i := range all.Items {
		requests = append(requests, namespaceOf(ctx, &all.Items[i])...) // of which the queue keeps each once
	}
	return requests
}

func namespaceOf(_ context.Context, o client.Object) []request {
	return []request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: children.Name}}}
}

// usersOfSecret returns the Secret's namespace when a receiver uses the Secret, or consists of it.
func (r *Reconciler) usersOfSecret(ctx context.Context, secret client.Object) []request {
	if children.IsReceiverSecretName(secret.GetName()) {
		return namespaceOf(ctx, secret)
	}
	for _, users := range []client.ObjectList{&v1alpha1.WebhookEndpointList{}, &v1alpha1.EventSinkList{}} {
		err := r.Client.List(ctx, users, client.InNamespace(secret.GetNamespace()), client.MatchingFields{SecretIndex: secret.GetName()}, client.Limit(1))
		if err != nil {
			log.FromContext(ctx).Error(err, "list users of a Secret; its namespace is reconciled")
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

// onPods makes a pass over the namespace of a pod, and announces a failed hand-off when it ends.
func (r *Reconciler) onPods() handler.EventHandler {
	toNamespace := handler.EnqueueRequestsFromMapFunc(namespaceOf)
	return handler.Funcs{
		CreateFunc: toNamespace.Create,
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[request]) {
			r.announceHandoffFailure(ctx, e)
			toNamespace.Update(ctx, e, queue)
		},
		DeleteFunc:  toNamespace.Delete,
		GenericFunc: toNamespace.Generic,
	}
}

// podChanged passes the changes of a pod that have consequences for a pass.
func podChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, wasPod := e.ObjectOld.(*corev1.Pod)
		after, isPod := e.ObjectNew.(*corev1.Pod)
		return !wasPod || !isPod || program.StateOf(before) != program.StateOf(after)
	}}
}
