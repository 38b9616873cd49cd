package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Read reads a namespace from the cache. Objects of the API that are about to go count as gone.
func Read(ctx context.Context, cache client.Reader, namespace string) (*Inventory, error) {
	found := &Inventory{
		Namespace: namespace, SecretVersions: map[string]string{}, Objects: Objects{}, Workloads: Workloads{},
		Pods: map[string][]corev1.Pod{}, HasPods: map[string]bool{},
	}
	for _, read := range []func(context.Context, client.Reader) error{found.readAPI, found.readMetadata, found.readWorkloads, found.readPods} {
		if err := read(ctx, cache); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// readAPI reads the endpoints and sinks.
func (v *Inventory) readAPI(ctx context.Context, cache client.Reader) error {
	var endpoints v1alpha1.WebhookEndpointList
	if err := cache.List(ctx, &endpoints, client.InNamespace(v.Namespace)); err != nil {
		return fmt.Errorf("list endpoints: %w", err)
	}
	var sinks v1alpha1.EventSinkList
	if err := cache.List(ctx, &sinks, client.InNamespace(v.Namespace)); err != nil {
		return fmt.Errorf("list sinks: %w", err)
	}
	v.Endpoints = slices.DeleteFunc(endpoints.Items, func(e v1alpha1.WebhookEndpoint) bool { return !e.DeletionTimestamp.IsZero() })
	v.Sinks = slices.DeleteFunc(sinks.Items, func(s v1alpha1.EventSink) bool { return !s.DeletionTimestamp.IsZero() })
	return nil
}

// readMetadata reads what receivers consist of, and the versions of the Secrets that endpoints and sinks refer to.
func (v *Inventory) readMetadata(ctx context.Context, cache client.Reader) error {
	for _, kind := range MetadataKinds() {
		var list metav1.PartialObjectMetadataList
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := cache.List(ctx, &list, client.InNamespace(v.Namespace), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list %s: %w", kind.Kind, err)
		}
		if kind.Kind == "Secret" {
			v.noteSecrets(list.Items)
		}
		for i := range list.Items {
			if ReceiverOf(&list.Items[i]) != "" {
				object := list.Items[i]
				object.SetGroupVersionKind(kind)
				v.Objects[ID{kind.GroupKind(), object.Name}] = &object
			}
		}
	}
	return nil
}

// noteSecrets keeps the versions of the referenced Secrets, an empty one where the cache does not know the Secret, perhaps not yet. Secrets of
// receivers are left out: a configuration would contain itself.
func (v *Inventory) noteSecrets(all []metav1.PartialObjectMetadata) {
	for i := range v.Endpoints {
		for _, name := range render.EndpointSecrets(&v.Endpoints[i]) {
			v.SecretVersions[name] = ""
		}
	}
	for i := range v.Sinks {
		for _, name := range render.SinkSecrets(&v.Sinks[i]) {
			v.SecretVersions[name] = ""
		}
	}
	for i := range all {
		if _, referenced := v.SecretVersions[all[i].Name]; !referenced {
			continue
		}
		v.SecretVersions[all[i].Name] = all[i].ResourceVersion
		if ReceiverOf(&all[i]) != "" {
			delete(v.SecretVersions, all[i].Name)
		}
	}
}

func (v *Inventory) readWorkloads(ctx context.Context, cache client.Reader) error {
	var deployments appsv1.DeploymentList
	if err := cache.List(ctx, &deployments, client.InNamespace(v.Namespace)); err != nil {
		return fmt.Errorf("list Deployments: %w", err)
	}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		v.noteWorkload("Deployment", &d.ObjectMeta, Workload{d.Status.AvailableReplicas > 0, *d.Spec.Replicas})
	}
	var sets appsv1.StatefulSetList
	if err := cache.List(ctx, &sets, client.InNamespace(v.Namespace)); err != nil {
		return fmt.Errorf("list StatefulSets: %w", err)
	}
	for i := range sets.Items {
		d := &sets.Items[i]
		v.noteWorkload("StatefulSet", &d.ObjectMeta, Workload{d.Status.AvailableReplicas > 0, *d.Spec.Replicas})
	}
	return nil
}

func (v *Inventory) noteWorkload(kind string, meta *metav1.ObjectMeta, w Workload) {
	object := MetadataOf(appsv1.SchemeGroupVersion.WithKind(kind))
	object.ObjectMeta = *meta
	if ReceiverOf(object) == "" {
		return
	}
	id := WorkloadID(kind, object.Name)
	v.Objects[id], v.Workloads[id] = object, w
}

func (v *Inventory) readPods(ctx context.Context, cache client.Reader) error {
	var pods corev1.PodList
	if err := cache.List(ctx, &pods, client.InNamespace(v.Namespace)); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	for i := range pods.Items {
		name := pods.Items[i].Labels[children.InstanceLabel]
		if !children.IsOwn(&pods.Items[i], name) {
			continue
		}
		v.HasPods[name] = true
		if pods.Items[i].DeletionTimestamp.IsZero() {
			v.Pods[name] = append(v.Pods[name], pods.Items[i])
		}
	}
	return nil
}
