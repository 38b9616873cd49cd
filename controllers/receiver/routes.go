package receiver

import (
	"context"
	"errors"
	"fmt"
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
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mailvane/mailvane/controllers/render/children"
)

const (
	// routesPoll is how often it is asked for whether a cluster knows HTTPRoutes while an endpoint wants one.
	routesPoll = 10 * time.Second
	// routesIdlePoll is how often it is asked for otherwise: an HTTPRoute may be left from before the manager started.
	routesIdlePoll = 10 * time.Minute
)

// routes watches HTTPRoutes in a cluster that knows them. Their definition may come and go at any time: a watch of a kind that is
// not there would fail again and again.
type routes struct {
	cache      cache.Cache
	controller controller.Controller
	discovery  *discovery.DiscoveryClient
	now        func() time.Time

	mu      sync.Mutex
	watched bool
	asked   time.Time
}

func newRoutes(mgr manager.Manager, c controller.Controller, now func() time.Time) (*routes, error) {
	d, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("prepare discovery: %w", err)
	}
	return &routes{cache: mgr.GetCache(), controller: c, discovery: d, now: now}, nil
}

func anyRoute() *unstructured.Unstructured {
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(children.HTTPRouteKind())
	return route
}

// available says whether the cluster knows HTTPRoutes, as of some time ago at most.
func (r *routes) available(ctx context.Context, maxAge time.Duration) (bool, error) {
	if r == nil {
		return false, nil
	}
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

// known asks the API server, which tells everybody what it serves.
func (r *routes) known() (bool, error) {
	kind := children.HTTPRouteKind()
	list, err := r.discovery.ServerResourcesForGroupVersion(kind.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for kinds of the Gateway API: %w", err)
	}
	for _, resource := range list.APIResources {
		if resource.Kind == kind.Kind {
			return true, nil
		}
	}
	return false, nil
}

// follow begins or ends the watch.
func (r *routes) follow(ctx context.Context, known bool) error {
	switch {
	case known && !r.watched:
		toNamespace := handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, u *unstructured.Unstructured) []request {
			if !isExposure(u) {
				return nil
			}
			return namespaceOf(ctx, u)
		})
		if err := r.controller.Watch(source.Kind(r.cache, anyRoute(), toNamespace)); err != nil {
			return fmt.Errorf("watch HTTPRoutes: %w", err)
		}
	case !known && r.watched:
		if err := r.cache.RemoveInformer(ctx, anyRoute()); err != nil {
			return fmt.Errorf("end the watch of HTTPRoutes: %w", err)
		}
	}
	r.watched = known
	return nil
}

// list returns the HTTPRoutes of a namespace that are ours.
func (r *routes) list(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	kind := children.HTTPRouteKind()
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	err := r.cache.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels(children.ExposureLabels()))
	if _, gone := errors.AsType[*cache.ErrResourceNotCached](err); gone {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list HTTPRoutes: %w", err)
	}
	return list.Items, nil
}

// isExposure says whether an object is an Ingress or an HTTPRoute of an endpoint.
func isExposure(o metav1.Object) bool {
	for key, value := range children.ExposureLabels() {
		if o.GetLabels()[key] != value {
			return false
		}
	}
	return true
}
