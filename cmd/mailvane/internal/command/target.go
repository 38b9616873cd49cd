package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/cluster"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
)

// secretReader returns the data of a Secret, and whether there is one.
type secretReader func(namespace, name string) (data map[string][]byte, found bool)

// newTarget returns what is sent to: an endpoint's configuration, and the signing key that its object names.
func newTarget(e *config.Endpoint, object *v1alpha1.WebhookEndpoint, secret secretReader) (*sender.Target, error) {
	vendor, ok := simulate.Lookup(e.Provider.Type)
	if !ok {
		return nil, fmt.Errorf("this release knows no provider %q", e.Provider.Type)
	}
	key, err := signingKey(object, secret)
	if err != nil {
		return nil, err
	}
	return &sender.Target{Vendor: vendor, Endpoint: *e, SigningKey: key}, nil
}

// signingKey returns the private key that an endpoint's annotation names; nil when it names none.
func signingKey(object *v1alpha1.WebhookEndpoint, secret secretReader) ([]byte, error) {
	name := object.Annotations[v1alpha1.SendSigningKeySecretAnnotation]
	if name == "" {
		return nil, nil
	}
	data, found := secret(object.Namespace, name)
	if !found || len(data[v1alpha1.SendSigningKey]) == 0 {
		return nil, fmt.Errorf("the annotation %s names the Secret %q, which must hold %q", v1alpha1.SendSigningKeySecretAnnotation, name, v1alpha1.SendSigningKey)
	}
	return data[v1alpha1.SendSigningKey], nil
}

// clusterTarget finds an endpoint of a cluster, by NAME or NAMESPACE/NAME, and reads the Secrets that it refers to. Its routes
// are left out: they have no part in what a provider sends.
func clusterTarget(ctx context.Context, c *cluster.Cluster, name string) (*sender.Target, error) {
	if namespace, rest, full := strings.Cut(name, "/"); full {
		c.Namespace, name = namespace, rest
	}
	object, err := c.Endpoint(ctx, c.Namespace, name)
	if err != nil {
		return nil, err
	}
	object.Spec.Routes = nil
	secret, err := readSecrets(ctx, c, object)
	if err != nil {
		return nil, err
	}
	judges, err := checks.New("")
	if err != nil {
		return nil, err
	}
	rendered, problems := render.Render(render.Input{Endpoints: []v1alpha1.WebhookEndpoint{*object}, Secret: secret, Checks: judges})
	if problems = render.Faults(problems); len(problems) > 0 {
		return nil, errors.New(problems[0].String())
	}
	return newTarget(&rendered.Endpoints[0], object, secret)
}

// readSecrets reads the Secrets that an endpoint and its annotation refer to.
func readSecrets(ctx context.Context, c *cluster.Cluster, object *v1alpha1.WebhookEndpoint) (secretReader, error) {
	names := render.EndpointSecrets(object)
	if name := object.Annotations[v1alpha1.SendSigningKeySecretAnnotation]; name != "" {
		names = append(names, name)
	}
	secrets := map[string]map[string][]byte{}
	for _, name := range names {
		data, found, err := c.Secret(ctx, object.Namespace, name)
		if err != nil {
			return nil, fmt.Errorf("send signs with the endpoint's own credentials: %w", err)
		}
		if found {
			secrets[name] = data
		}
	}
	return func(_, name string) (map[string][]byte, bool) {
		data, found := secrets[name]
		return data, found
	}, nil
}

// serving finds a ready receiver that serves an endpoint, and returns a way to its webhooks and their base URL.
func serving(ctx context.Context, c *cluster.Cluster, e *config.Endpoint) (*http.Client, string, error) {
	pods, _, err := c.Receivers(ctx)
	if err != nil {
		return nil, "", err
	}
	name := e.Namespace + "/" + e.Name
	var errs []error
	for _, pod := range pods {
		endpoints, err := served(ctx, c, pod)
		errs = append(errs, err)
		if slices.ContainsFunc(endpoints, func(served admin.Endpoint) bool { return served.Name == name }) {
			return pod.Webhooks(), pod.URL(), nil
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, "", fmt.Errorf("%w; --url sends to an address instead", err)
	}
	return nil, "", fmt.Errorf("none of the %d ready receivers in %s serves %s; --url sends to an address instead", len(pods), c, name)
}

// served returns what a pod serves.
func served(ctx context.Context, c *cluster.Cluster, pod *cluster.Receiver) ([]admin.Endpoint, error) {
	token, err := c.Token(ctx, pod.Namespace, pod.Name, read())
	if err != nil {
		return nil, err
	}
	endpoints, err := (&admin.Client{BaseURL: pod.AdminURL(), Token: token, HTTP: pod.Admin()}).Endpoints(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", pod.Namespace, pod.Pod, err)
	}
	return endpoints, nil
}
