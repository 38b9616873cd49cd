// Package inventory reads what a namespace has: endpoints and sinks, the objects of their receivers, and the pods of those. It only reads.
package inventory

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Inventory is what the cache has of a namespace at the beginning of a pass.
type Inventory struct {
	// Namespace is its name.
	Namespace string
	// Endpoints are those that are not about to go.
	Endpoints []v1alpha1.WebhookEndpoint
	// Sinks are those that are not about to go.
	Sinks []v1alpha1.EventSink
	// SecretVersions are the resource versions of the referenced Secrets, by name; empty where the cache has none.
	SecretVersions map[string]string
	// Objects are what receivers consist of.
	Objects Objects
	// Workloads are the Deployments and StatefulSets among them.
	Workloads Workloads
	// Pods are those that are not about to go, by receiver, sorted by name.
	Pods map[string][]corev1.Pod
	// HasPods holds the receivers with pods, terminating ones included.
	HasPods map[string]bool
}

// ID names an object in a namespace.
type ID struct {
	// Kind is the object's.
	Kind schema.GroupKind
	// Name is the object's.
	Name string
}

// SecretID names a Secret.
func SecretID(name string) ID { return ID{schema.GroupKind{Kind: "Secret"}, name} }

// WorkloadID names a Deployment or StatefulSet.
func WorkloadID(kind, name string) ID { return ID{schema.GroupKind{Group: "apps", Kind: kind}, name} }

// IDOf names the object that a configuration is of; the zero ID when it does not say it.
func IDOf(configuration runtime.ApplyConfiguration) ID {
	named, ok := configuration.(interface {
		GetAPIVersion() *string
		GetKind() *string
		GetName() *string
	})
	if !ok {
		return ID{}
	}
	return ID{schema.FromAPIVersionAndKind(*named.GetAPIVersion(), *named.GetKind()).GroupKind(), *named.GetName()}
}

// Objects are the metadata of what receivers consist of.
type Objects map[ID]*metav1.PartialObjectMetadata

// ConfigSecret returns the Secret with the configuration of a receiver; nil when there is none.
func (o Objects) ConfigSecret(receiver string) *metav1.PartialObjectMetadata {
	return o[SecretID(children.ConfigSecretName(receiver))]
}

// SecretVersion returns what changes with a Secret, also when it is made anew; empty when there is none.
func (o Objects) SecretVersion(name string) string {
	secret := o[SecretID(name)]
	if secret == nil {
		return ""
	}
	return string(secret.UID) + " " + secret.ResourceVersion
}

// Workload is the state of a Deployment or StatefulSet.
type Workload struct {
	// Available reports whether one of its pods is available.
	Available bool
	// Replicas is the number of pods that it is to have.
	Replicas int32
}

// Workloads are Deployments and StatefulSets.
type Workloads map[ID]Workload

// Available reports whether a pod of a receiver is available, whichever workload made it.
func (w Workloads) Available(receiver string) bool {
	return w[WorkloadID("Deployment", receiver)].Available || w[WorkloadID("StatefulSet", receiver)].Available
}

// MetadataKinds returns the kinds of a receiver's objects of which only metadata is read. Each is watched.
func MetadataKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind("Secret"),
		corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
		corev1.SchemeGroupVersion.WithKind("Service"),
		networkingv1.SchemeGroupVersion.WithKind("NetworkPolicy"),
		policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"),
		autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"),
	}
}

// MetadataOf returns the metadata of an object of a kind, for a list or a watch.
func MetadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

// ReceiverOf returns the name of the receiver that an object is part of; empty when it is part of none.
func ReceiverOf(o metav1.Object) string {
	labels := o.GetLabels()
	name := labels[children.InstanceLabel]
	for key, value := range children.Labels(name) {
		if labels[key] != value {
			return ""
		}
	}
	return name
}
