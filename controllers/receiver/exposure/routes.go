package exposure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mailvane/mailvane/controllers/render/children"
)

const (
	// routesPoll is how often the API server is asked whether it knows HTTPRoutes while an endpoint wants one.
	routesPoll = 10 * time.Second
	// routesIdlePoll is how often it is asked otherwise: an HTTPRoute may be left from before the manager started.
	routesIdlePoll = 10 * time.Minute
)

// WatchedRoutes watches HTTPRoutes in a cluster that knows them. Their definition may come and go at any time: a watch of a kind that is
// not there would fail again and again. It is safe for concurrent use.
type WatchedRoutes struct {
	kinds   discoverer
	watcher watcher
	now     func() time.Time

	mu      sync.Mutex
	watched bool
	asked   time.Time
}

// discoverer asks the API server for the kinds that it serves.
type discoverer interface {
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
}

// watcher keeps the HTTPRoutes of the cluster.
type watcher interface {
	begin() error
	end(ctx context.Context) error
	list(ctx context.Context, namespace string) ([]unstructured.Unstructured, error)
}

// WatchRoutes returns WatchedRoutes whose changes lead to the requests of a controller.
func WatchRoutes(
	mgr manager.Manager, c controller.Controller, now func() time.Time, toRequests func(context.Context, client.Object) []reconcile.Request,
) (*WatchedRoutes, error) {
	d, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("prepare discovery: %w", err)
	}
	return &WatchedRoutes{kinds: d, watcher: &informer{cache: mgr.GetCache(), controller: c, toRequests: toRequests}, now: now}, nil
}

// Available reports whether the cluster knows HTTPRoutes, as of some time ago at most.
func (r *WatchedRoutes) Available(ctx context.Context, maxAge time.Duration) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked.IsZero() && r.now().Sub(r.asked) < maxAge {
		return r.watched, nil
	}
	known, err := r.known()
	if err != nil {
		return false, err
	}
	if err := r.follow(ctx, known); err != nil {
		return false, err
	}
	r.asked = r.now()
	return known, nil
}

// List returns the HTTPRoutes of endpoints in a namespace.
func (r *WatchedRoutes) List(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	return r.watcher.list(ctx, namespace)
}

// known asks the API server, which tells every account what it serves.
func (r *WatchedRoutes) known() (bool, error) {
	kind := children.HTTPRouteKind()
	list, err := r.kinds.ServerResourcesForGroupVersion(kind.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for kinds of the Gateway API: %w", err)
	}
	return slices.ContainsFunc(list.APIResources, func(resource metav1.APIResource) bool { return resource.Kind == kind.Kind }), nil
}

// follow begins or ends the watch.
func (r *WatchedRoutes) follow(ctx context.Context, known bool) error {
	switch {
	case known && !r.watched:
		if err := r.watcher.begin(); err != nil {
			return fmt.Errorf("watch HTTPRoutes: %w", err)
		}
	case !known && r.watched:
		if err := r.watcher.end(ctx); err != nil {
			return fmt.Errorf("end the watch of HTTPRoutes: %w", err)
		}
	}
	r.watched = known
	return nil
}

// informer is the manager's informer of HTTPRoutes.
type informer struct {
	cache      cache.Cache
	controller controller.Controller
	toRequests func(context.Context, client.Object) []reconcile.Request
}

func anyRoute() *unstructured.Unstructured {
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(children.HTTPRouteKind())
	return route
}

func (i *informer) begin() error {
	return i.controller.Watch(source.Kind(i.cache, anyRoute(), handler.TypedEnqueueRequestsFromMapFunc(i.requests)))
}

// requests returns what a change of an HTTPRoute leads to: nothing when it is not an endpoint's.
func (i *informer) requests(ctx context.Context, route *unstructured.Unstructured) []reconcile.Request {
	for key, value := range children.ExposureLabels() {
		if route.GetLabels()[key] != value {
			return nil
		}
	}
	return i.toRequests(ctx, route)
}

func (i *informer) end(ctx context.Context) error { return i.cache.RemoveInformer(ctx, anyRoute()) }

// list returns nothing of a kind that is not watched any more.
func (i *informer) list(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	kind := children.HTTPRouteKind()
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := i.cache.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels(children.ExposureLabels()))
	if _, gone := errors.AsType[*cache.ErrResourceNotCached](err); gone {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list HTTPRoutes: %w", err)
	}
	return list.Items, nil
}
