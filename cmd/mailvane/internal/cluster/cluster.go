// Package cluster reaches Mailvane's objects and receivers in the cluster that a kubeconfig names, with the rights of whoever
// the kubeconfig says that one is.
package cluster

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// ErrNone says that there is no kubeconfig, and that this is no pod of a cluster.
var ErrNone = errors.New("no cluster is configured: set KUBECONFIG, or give --kubeconfig")

// Options choose a cluster and a namespace, by kubectl's rules: empty ones are taken from the environment and the kubeconfig.
type Options struct {
	// Kubeconfig is a file in place of $KUBECONFIG and ~/.kube/config.
	Kubeconfig string
	// Context is a context of the kubeconfig in place of its current one.
	Context string
	// Namespace is a namespace in place of the context's.
	Namespace string
	// AllNamespaces stands for all of them.
	AllNamespaces bool
}

// Cluster is a cluster, or one namespace of it.
type Cluster struct {
	// Namespace is the namespace that is looked at; empty = all.
	Namespace string

	config *rest.Config
	api    client.Client
}

// Open reads the kubeconfig. It asks nothing of the cluster yet.
func (o *Options) Open() (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	kubeconfig := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := kubeconfig.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	c := &Cluster{config: config}
	if c.Namespace, _, err = kubeconfig.Namespace(); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if o.AllNamespaces {
		c.Namespace = ""
	}
	types := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(types), v1alpha1.AddToScheme(types)); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	if c.api, err = client.New(config, client.Options{Scheme: types}); err != nil {
		return nil, c.explain(err)
	}
	return c, nil
}

// Endpoints returns the endpoints.
func (c *Cluster) Endpoints(ctx context.Context) ([]v1alpha1.WebhookEndpoint, error) {
	var list v1alpha1.WebhookEndpointList
	if err := c.api.List(ctx, &list, client.InNamespace(c.Namespace)); err != nil {
		return nil, c.explain(err)
	}
	return list.Items, nil
}

// Endpoint returns one endpoint.
func (c *Cluster) Endpoint(ctx context.Context, namespace, name string) (*v1alpha1.WebhookEndpoint, error) {
	var endpoint v1alpha1.WebhookEndpoint
	if err := c.api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &endpoint); err != nil {
		return nil, c.explain(err)
	}
	return &endpoint, nil
}

// Sinks returns the sinks.
func (c *Cluster) Sinks(ctx context.Context) ([]v1alpha1.EventSink, error) {
	var list v1alpha1.EventSinkList
	if err := c.api.List(ctx, &list, client.InNamespace(c.Namespace)); err != nil {
		return nil, c.explain(err)
	}
	return list.Items, nil
}

// Secret returns the data of a Secret, and whether it exists.
func (c *Cluster) Secret(ctx context.Context, namespace, name string) (data map[string][]byte, found bool, err error) {
	var secret corev1.Secret
	err = c.api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, false, nil
	case err != nil:
		return nil, false, c.explain(err)
	default:
		return secret.Data, true, nil
	}
}

// explain says of an error which cluster was asked.
func (c *Cluster) explain(err error) error { return fmt.Errorf("cluster %s: %w", c.config.Host, err) }

// String names the cluster and the namespace for people.
func (c *Cluster) String() string {
	if c.Namespace == "" {
		return "cluster " + c.config.Host
	}
	return fmt.Sprintf("namespace %q of cluster %s", c.Namespace, c.config.Host)
}
