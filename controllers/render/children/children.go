// Package children renders the objects of one receiver in a cluster. It is pure: the same options give the same objects.
package children

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

const (
	// Name is the name of every object of the receiver that the endpoints of a namespace share, but for its configuration.
	Name = "mailvane-receiver"
	// ConfigSecretName is the name of the Secret with the receiver's configuration.
	ConfigSecretName = Name + "-config"
	// ConfigHashAnnotation holds, on the Secret with the configuration, the hash of the configuration.
	ConfigHashAnnotation = "mailvane.dev/config-hash"
	// NudgeAnnotation is on the pods of a receiver. Its change makes the kubelet look at the mounted Secret at once instead of
	// within a minute or two. Its value is not the hash: who may read pods, but no Secrets, could find out a weak password by it.
	NudgeAnnotation = "mailvane.dev/config-nudge"
)

// The ports of a receiver.
const (
	WebhookPort = 8080
	AdminPort   = 9090
)

const (
	webhookPortName = "http"
	adminPortName   = "admin"
)

// The label that all objects of receivers have, which nothing else should have, and its value.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedByValue = "mailvane"
)

// Options say what a receiver is like.
type Options struct {
	// Image is the container image, which holds /receiver.
	Image string
	// Replicas is the number of pods.
	Replicas int32
	// ManagerNamespace is where the admin port may be reached from.
	ManagerNamespace string
}

// Render returns the receiver of a namespace without its configuration, in the order in which the objects are needed.
func Render(namespace string, o Options) []runtime.ApplyConfiguration {
	return []runtime.ApplyConfiguration{
		serviceAccount(namespace),
		service(namespace),
		networkPolicy(namespace, o.ManagerNamespace),
		deployment(namespace, o),
		podDisruptionBudget(namespace),
	}
}

// Selector returns the labels by which the pods of a receiver are found. A Deployment's selector can never be changed.
func Selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": Name, "app.kubernetes.io/instance": Name}
}

// labels returns the labels of every object.
func labels() map[string]string {
	all := map[string]string{
		"app.kubernetes.io/component": "receiver",
		"app.kubernetes.io/part-of":   "mailvane",
		ManagedByLabel:                ManagedByValue,
	}
	maps.Copy(all, Selector())
	return all
}

func podSelector() *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(Selector())
}
