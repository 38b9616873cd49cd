// Package controllers assembles the controllers of the manager.
package controllers

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/limits"
	"github.com/mailvane/mailvane/controllers/receiver"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/upkeep"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Options are what the controllers need.
type Options struct {
	// Receiver says what receivers are like.
	Receiver children.Options
	// Checks judge filters and settings.
	Checks render.Checks
	// Pods says what receivers have loaded.
	Pods program.Pods
	// Limits say what endpoints may ask for.
	Limits limits.Limits
	// Claims names the ConfigMap in which it is noted which namespace has which host and path; without a name, it is not noted.
	Claims client.ObjectKey
	// Registration says how webhooks are registered at providers.
	Registration Registration
}

// Registration is what the registration of webhooks needs.
type Registration struct {
	// Vendors are the providers whose APIs are known, by type; empty = nothing is registered.
	Vendors map[string]registration.Vendor
	// Transport makes the connections to them, and guards which addresses are connected to.
	Transport http.RoundTripper
	// Interval is how often a webhook is looked at; 0 = [upkeep.DefaultInterval].
	Interval time.Duration
	// Metrics count; nil = nobody does.
	Metrics *upkeep.Metrics
}

// Scheme returns the kinds that the controllers work with.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build scheme: %w", err)
		}
	}
	return scheme, nil
}

// CacheOptions limits the cache to what the controllers read: of the kinds that receivers consist of only our own, of Secrets
// only metadata, and nothing that is not watched.
func CacheOptions(namespaces []string) cache.Options {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{children.ManagedByLabel: children.ManagedByValue})}
	o := cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}:                     ours,
			&appsv1.StatefulSet{}:                    ours,
			&autoscalingv2.HorizontalPodAutoscaler{}: ours,
			&corev1.Pod{}:                            ours,
			&corev1.Service{}:                        ours,
			&corev1.ServiceAccount{}:                 ours,
			&networkingv1.Ingress{}:                  ours,
			&networkingv1.NetworkPolicy{}:            ours,
			&policyv1.PodDisruptionBudget{}:          ours,
		},
	}
	for _, namespace := range namespaces {
		if o.DefaultNamespaces == nil {
			o.DefaultNamespaces = map[string]cache.Config{}
		}
		o.DefaultNamespaces[namespace] = cache.Config{}
	}
	return o
}

// Setup adds the controllers to a manager whose cache has the [CacheOptions].
func Setup(ctx context.Context, mgr manager.Manager, o Options) error {
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	results := upkeep.NewResults()
	err := receiver.New(receiver.Options{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Pods: o.Pods, Recorder: mgr.GetEventRecorder("mailvane"),
		Checks: o.Checks, Receiver: o.Receiver, Limits: o.Limits, Claims: o.Claims,
		Registered: results.Of, RegisteredChanges: results.Changes(), Now: time.Now,
	}).Register(mgr)
	if err != nil {
		return err
	}
	return upkeep.New(upkeep.Options{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: mgr.GetEventRecorder("mailvane"),
		Vendors: o.Registration.Vendors, Transport: o.Registration.Transport, Interval: cmp.Or(o.Registration.Interval, upkeep.DefaultInterval),
		Metrics: o.Registration.Metrics, Results: results, Now: time.Now,
	}).Register(mgr)
}
