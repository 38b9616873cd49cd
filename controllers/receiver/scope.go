package receiver

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// foreignRetry is when an object that belongs to somebody else is looked at again: the cache does not see it go.
const foreignRetry = time.Minute

// scope is everything that one pass knows of a namespace.
type scope struct {
	namespace string
	memory    *memory

	// Set by gather.
	endpoints      []v1alpha1.WebhookEndpoint
	sinks          []v1alpha1.EventSink
	secretVersions map[string]string                       // of the referenced Secrets, by name; empty where the cache has none
	children       map[child]*metav1.PartialObjectMetadata // what receivers consist of and exists
	workloads      map[child]workload                      // the Deployments and StatefulSets among them
	pods           map[string][]corev1.Pod                 // that are not about to go, by receiver, sorted by name
	peopled        map[string]bool                         // the receivers with pods, also such as are about to go
	units          []*unit                                 // one for each receiver, the shared one first
	named          map[string]*unit                        // the same by name
	exposures      exposures
	after          time.Duration // when to look again; 0 = when something changes
}

// child names an object of a receiver.
type child struct {
	kind schema.GroupKind
	name string
}

// workload is what the API server says of a Deployment or StatefulSet.
type workload struct {
	available bool // one of its pods is
	replicas  int32
}

// identity returns which object a configuration is of.
func identity(configuration runtime.ApplyConfiguration) child {
	named, ok := configuration.(interface {
		GetAPIVersion() *string
		GetKind() *string
		GetName() *string
	})
	if !ok {
		return child{}
	}
	group := schema.FromAPIVersionAndKind(*named.GetAPIVersion(), *named.GetKind()).GroupKind()
	return child{group, *named.GetName()}
}

// configSecret returns the metadata of a receiver's configuration as the cache has it; nil when it has none.
func (s *scope) configSecret(receiver string) *metav1.PartialObjectMetadata {
	return s.children[secretID(children.ConfigSecretName(receiver))]
}

func secretID(name string) child { return child{schema.GroupKind{Kind: "Secret"}, name} }

// lookAgain asks for another pass after a time, or sooner.
func (s *scope) lookAgain(after time.Duration) {
	if s.after == 0 || after < s.after {
		s.after = after
	}
}
