package receiver

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// metadataKinds returns the kinds of a receiver's objects of which only metadata is read. Each is watched.
func metadataKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind("Secret"),
		corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
		corev1.SchemeGroupVersion.WithKind("Service"),
		networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
		policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
		autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"),
	}
}

func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

// gather reads what the cache has.
func (r *Reconciler) gather(ctx context.Context, namespace string) (*scope, error) {
	s := &scope{
		namespace: namespace, memory: r.remember(namespace), secretVersions: map[string]string{},
		children: map[child]*metav1.PartialObjectMetadata{}, workloads: map[child]workload{}, pods: map[string][]corev1.Pod{},
		peopled: map[string]bool{},
	}
	for _, read := range []func(context.Context, *scope) error{r.gatherObjects, r.gatherMetadata, r.gatherWorkloads, r.gatherPods, r.gatherExposures} {
		if err := read(ctx, s); err != nil {
			return nil, err
		}
	}
	s.units, s.named = r.units(s), map[string]*unit{}
	for _, u := range s.units {
		s.named[u.Name] = u
	}
	return s, nil
}

// gatherObjects reads the endpoints and sinks that are not about to go.
func (r *Reconciler) gatherObjects(ctx context.Context, s *scope) error {
	var endpoints v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &endpoints, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list endpoints: %w", err)
	}
	var sinks v1alpha1.EventSinkList
	if err := r.Client.List(ctx, &sinks, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list sinks: %w", err)
	}
	s.endpoints = slices.DeleteFunc(endpoints.Items, func(e v1alpha1.WebhookEndpoint) bool { return !e.DeletionTimestamp.IsZero() })
	s.sinks = slices.DeleteFunc(sinks.Items, func(e v1alpha1.EventSink) bool { return !e.DeletionTimestamp.IsZero() })
	for i := range s.endpoints {
		if e, ok := s.memory.newer(&s.endpoints[i]).(*v1alpha1.WebhookEndpoint); ok {
			s.endpoints[i].Status = e.Status
		}
	}
	for i := range s.sinks {
		if e, ok := s.memory.newer(&s.sinks[i]).(*v1alpha1.EventSink); ok {
			s.sinks[i].Status = e.Status
		}
	}
	return nil
}

// gatherMetadata reads what receivers consist of, and the versions of the Secrets that endpoints and sinks refer to.
func (r *Reconciler) gatherMetadata(ctx context.Context, s *scope) error {
	for _, kind := range metadataKinds() {
		var list metav1.PartialObjectMetadataList
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := r.Client.List(ctx, &list, client.InNamespace(s.namespace), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list %s: %w", kind.Kind, err)
		}
		if kind.Kind == "Secret" {
			s.noteSecrets(list.Items)
		}
		for i := range list.Items {
			if _, ours := receiverOf(&list.Items[i]); ours {
				object := list.Items[i]
				object.SetGroupVersionKind(kind)
				s.children[child{kind.GroupKind(), object.Name}] = &object
			}
		}
	}
	return nil
}

// noteSecrets keeps the versions of the referenced Secrets; of those that the cache does not know, perhaps not yet, an empty one. A
// configuration is none: it would contain itself.
func (s *scope) noteSecrets(all []metav1.PartialObjectMetadata) {
	for i := range s.endpoints {
		for _, name := range render.EndpointSecrets(&s.endpoints[i]) {
			s.secretVersions[name] = ""
		}
	}
	for i := range s.sinks {
		for _, name := range render.SinkSecrets(&s.sinks[i]) {
			s.secretVersions[name] = ""
		}
	}
	for i := range all {
		if _, referenced := s.secretVersions[all[i].Name]; !referenced {
			continue
		}
		s.secretVersions[all[i].Name] = all[i].ResourceVersion
		if _, ours := receiverOf(&all[i]); ours {
			delete(s.secretVersions, all[i].Name)
		}
	}
}

// receiverOf returns the name of the receiver that an object is part of.
func receiverOf(o client.Object) (string, bool) {
	labels := o.GetLabels()
	name := labels[children.InstanceLabel]
	for key, value := range children.Labels(name) {
		if labels[key] != value {
			return "", false
		}
	}
	return name, name != ""
}

func (r *Reconciler) gatherWorkloads(ctx context.Context, s *scope) error {
	var deployments appsv1.DeploymentList
	if err := r.Client.List(ctx, &deployments, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list Deployments: %w", err)
	}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		s.noteWorkload("Deployment", &d.ObjectMeta, workload{d.Status.AvailableReplicas > 0, *d.Spec.Replicas})
	}
	var sets appsv1.StatefulSetList
	if err := r.Client.List(ctx, &sets, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list StatefulSets: %w", err)
	}
	for i := range sets.Items {
		d := &sets.Items[i]
		s.noteWorkload("StatefulSet", &d.ObjectMeta, workload{d.Status.AvailableReplicas > 0, *d.Spec.Replicas})
	}
	return nil
}

func (s *scope) noteWorkload(kind string, meta *metav1.ObjectMeta, w workload) {
	object := metadataOf(appsv1.SchemeGroupVersion.WithKind(kind))
	object.ObjectMeta = *meta
	if _, ours := receiverOf(object); !ours {
		return
	}
	id := child{object.GroupVersionKind().GroupKind(), object.Name}
	s.children[id], s.workloads[id] = object, w
}

func (r *Reconciler) gatherPods(ctx context.Context, s *scope) error {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(s.namespace)); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	for i := range pods.Items {
		name := pods.Items[i].Labels[children.InstanceLabel]
		if !isOwn(&pods.Items[i], name) {
			continue
		}
		s.peopled[name] = true
		if pods.Items[i].DeletionTimestamp.IsZero() {
			s.pods[name] = append(s.pods[name], pods.Items[i])
		}
	}
	return nil
}
