// Package children renders the objects of one receiver in a cluster. It is pure: the same receiver gives the same objects.
package children

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

const (
	// ConfigHashAnnotation holds, on the Secret with the configuration, the hash of the configuration.
	ConfigHashAnnotation = "mailvane.dev/config-hash"
	// sinksAnnotation holds, on the Secret with the configuration of a dedicated receiver, what is noted of the sinks in it.
	sinksAnnotation = "mailvane.dev/sinks"
	// HandoffKeyAnnotation is on the Secret with the configuration when it has a key for hand-off.
	HandoffKeyAnnotation = "mailvane.dev/handoff-key"
	// NudgeAnnotation is on the pods of a receiver. Its change makes the kubelet look at the mounted Secret at once instead of
	// within a minute or two. Its value is not the hash: who may read pods, but no Secrets, could find out a weak password by it.
	NudgeAnnotation = "mailvane.dev/config-nudge"
)

// The ports of a receiver.
const (
	WebhookPort = 8080
	// AdminPort asks for a token; other pods of the receiver hand off to it, with a proof of their own.
	AdminPort = 9090
	// MetricsPort has metrics and probes, and asks for nothing.
	MetricsPort = 9091
)

const (
	webhookPortName = "http"
	adminPortName   = "admin"
	metricsPortName = "metrics"
)

// The label that all objects of receivers have, which nothing else should have, and its value.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedByValue = "mailvane"
)

// The labels by which the objects and the pods of a receiver are found.
const (
	nameLabel      = "app.kubernetes.io/name"
	componentLabel = "app.kubernetes.io/component"
	partOfLabel    = "app.kubernetes.io/part-of"
	partOf         = "mailvane"
	// InstanceLabel holds the name of the receiver.
	InstanceLabel = "app.kubernetes.io/instance"
)

// Options are what all receivers have in common.
type Options struct {
	// Image is the container image, which holds /receiver.
	Image string
	// ManagerNamespace is where the pods of the manager are, by which the admin port may be reached.
	ManagerNamespace string
	// MetricsFrom says who may reach the metrics port; empty = everybody.
	MetricsFrom []networkingv1ac.NetworkPolicyPeerApplyConfiguration
	// Egress says what receivers may connect to beside name servers and each other; empty = anything.
	Egress []networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration
	// Defaults say what receivers are like whose endpoint does not say it, and those that endpoints share. They carry the
	// defaults of the API.
	Defaults v1alpha1.Receiver
	// Environment is what the programs' environment says, by name. It is for anybody to read.
	Environment map[string]string
	// ConfigBytes bounds the configuration in one Secret, in bytes; 0 = what the API server takes.
	ConfigBytes int
}

// Receiver is one receiver.
type Receiver struct {
	// Namespace and Name are those of its objects. The name is [Name] or a [DedicatedName].
	Namespace, Name string
	// Owner is the endpoint that it belongs to; nil when it is shared.
	Owner *v1alpha1.WebhookEndpoint
	// ConfigBytes is that of [Options].
	ConfigBytes int
	// Spec says what it is like; what is not set there has no default but the one in this package.
	Spec v1alpha1.Receiver
}

// Render returns a receiver without its configuration, in the order in which the objects are needed.
func (r *Receiver) Render(o Options) []runtime.ApplyConfiguration {
	objects := []runtime.ApplyConfiguration{r.serviceAccount(), r.service()}
	if r.isEmbedded() {
		objects = append(objects, r.peers())
	}
	objects = append(objects, r.networkPolicy(o))
	if r.HasClaims() {
		objects = append(objects, r.statefulSet(o))
	} else {
		objects = append(objects, r.deployment(o))
	}
	objects = append(objects, r.podDisruptionBudget())
	if r.IsAutoscaled() {
		objects = append(objects, r.autoscaler())
	}
	return objects
}

// Selector returns the labels by which the pods of a receiver are found. A Deployment's selector can never be changed.
func Selector(receiver string) map[string]string {
	return map[string]string{nameLabel: Name, InstanceLabel: receiver}
}

// Labels returns the labels of every object of a receiver.
func Labels(receiver string) map[string]string {
	all := map[string]string{
		componentLabel: "receiver",
		partOfLabel:    partOf,
		ManagedByLabel: ManagedByValue,
	}
	maps.Copy(all, Selector(receiver))
	return all
}

// OwnerReference returns what makes an object go with an endpoint. It does not block the endpoint's deletion, which would need a
// permission more.
func OwnerReference(e *v1alpha1.WebhookEndpoint) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion().String()).WithKind(v1alpha1.WebhookEndpointKind).
		WithName(e.Name).WithUID(e.UID).WithController(true)
}

// owners returns the owner references of a receiver's objects.
func (r *Receiver) owners() []*metav1ac.OwnerReferenceApplyConfiguration {
	if r.Owner == nil {
		return nil
	}
	return []*metav1ac.OwnerReferenceApplyConfiguration{OwnerReference(r.Owner)}
}

func (r *Receiver) podSelector() *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(Selector(r.Name))
}
