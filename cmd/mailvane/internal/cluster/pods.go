package cluster

import (
	"context"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/render/children"
)

// The label that tells pods of receivers from those of the manager, and its value.
const (
	componentLabel = "app.kubernetes.io/component"
	componentValue = "receiver"
)

// requestTimeout bounds one request to a pod.
const requestTimeout = time.Minute

// Receiver is a pod of a receiver. It is reached through the API server, with a port-forward: whoever uses it needs the verbs
// get and create of pods/portforward, and no network way to the pod.
type Receiver struct {
	// Namespace and Pod name the pod, and Name is the name of its receiver.
	Namespace, Pod, Name string

	tunnel *tunnel
}

// Receivers returns the pods that receivers' workloads have made, sorted by namespace and name: those that are ready, and the names
// "namespace/name" of the others.
func (c *Cluster) Receivers(ctx context.Context) (ready []*Receiver, others []string, err error) {
	var list corev1.PodList
	labels := client.MatchingLabels{children.ManagedByLabel: children.ManagedByValue, componentLabel: componentValue}
	if err := c.api.List(ctx, &list, client.InNamespace(c.Namespace), labels); err != nil {
		return nil, nil, c.explain(err)
	}
	for i := range list.Items {
		pod := &list.Items[i]
		if !children.IsOwn(pod, pod.Labels[children.InstanceLabel]) {
			continue // it has the labels, and would be shown a token
		}
		if !isReady(pod) {
			others = append(others, pod.Namespace+"/"+pod.Name)
			continue
		}
		ready = append(ready, &Receiver{
			Namespace: pod.Namespace, Pod: pod.Name, Name: pod.Labels[children.InstanceLabel],
			tunnel: &tunnel{config: c.config, namespace: pod.Namespace, pod: pod.Name},
		})
	}
	return ready, others, nil
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// URL is the base of the URLs of the pod's webhooks for the clients of [Receiver.Webhooks].
func (r *Receiver) URL() string { return "http://" + r.Pod }

// AdminURL is the base of the URLs of the pod's admin API for the clients of [Receiver.Admin]. It is where a port-forward ends: the
// API refuses names that are not its own.
func (r *Receiver) AdminURL() string { return "http://localhost" }

// Admin returns a client whose requests all go to the pod's admin API, whatever address they name.
func (r *Receiver) Admin() *http.Client { return r.client(children.AdminPort) }

// Webhooks returns a client whose requests all go to the port where the pod takes webhooks.
func (r *Receiver) Webhooks() *http.Client { return r.client(children.WebhookPort) }

func (r *Receiver) client(port int) *http.Client {
	return &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DialContext: r.tunnel.to(port)}}
}
