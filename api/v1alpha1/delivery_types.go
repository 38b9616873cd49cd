package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Ordering says which events may overtake each other.
// +kubebuilder:validation:Enum=Unordered;ByKey
type Ordering string

// The values of spec.delivery.ordering.
const (
	OrderingUnordered Ordering = "Unordered"
	OrderingByKey     Ordering = "ByKey"
)

// Delivery is the policy with which a sink is fed. An event is retried until the sink has it or it is older than
// retry.maxAgeSeconds; then it becomes a dead letter.
type Delivery struct {
	// maxInFlight bounds the number of sends at a time.
	// +optional
	// +kubebuilder:default=32
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	MaxInFlight int32 `json:"maxInFlight,omitempty"`
	// batch bounds one send, for sinks that take several events at once.
	// +optional
	// +kubebuilder:default={}
	Batch Batch `json:"batch,omitzero"`
	// timeoutSeconds bounds one send.
	// +optional
	// +kubebuilder:default=15
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=600
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`
	// retry says when what could not be sent is sent again.
	// +optional
	// +kubebuilder:default={}
	Retry Retry `json:"retry,omitzero"`
	// ordering is Unordered, or ByKey: one event per message id, else per recipient, is in flight at a time. With the embedded journal each
	// pod of a receiver keeps the order of what came to it.
	// +optional
	// +kubebuilder:default=Unordered
	Ordering Ordering `json:"ordering,omitempty"`
	// rateLimit bounds the rate of events, of each pod where the journal is embedded.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitzero"`
	// deadLetter says where dead letters go. Without it they stay in the journal, where they can be listed and retried.
	// +optional
	DeadLetter DeadLetter `json:"deadLetter,omitzero"`
}

// Batch bounds one send.
type Batch struct {
	// maxEvents bounds the number of events.
	// +optional
	// +kubebuilder:default=500
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxEvents int32 `json:"maxEvents,omitempty"`
	// maxBytes bounds the size of the events together, between 1Ki and 64Mi. A single larger event is sent alone.
	// +optional
	// +kubebuilder:default="1Mi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('64Mi')) <= 0)",message="must be between 1Ki and 64Mi"
	MaxBytes resource.Quantity `json:"maxBytes,omitzero"`
	// lingerMilliseconds is how long a batch that is not full waits for more; 0 means not at all.
	// +optional
	// +kubebuilder:default=50
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=60000
	LingerMilliseconds *int32 `json:"lingerMilliseconds,omitempty"`
}

// Retry says when what could not be sent is sent again: after a wait that doubles from the initial one up to the largest.
type Retry struct {
	// initialBackoffMilliseconds is the wait after the first failure.
	// +optional
	// +kubebuilder:default=500
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=600000
	InitialBackoffMilliseconds int32 `json:"initialBackoffMilliseconds,omitempty"`
	// maxBackoffSeconds is the longest wait.
	// +optional
	// +kubebuilder:default=300
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	MaxBackoffSeconds int32 `json:"maxBackoffSeconds,omitempty"`
	// maxAgeSeconds is the age at which an event that could not be delivered becomes a dead letter. The default is 3 days.
	// +optional
	// +kubebuilder:default=259200
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2592000
	MaxAgeSeconds int32 `json:"maxAgeSeconds,omitempty"`
}

// RateLimit bounds the rate of events.
type RateLimit struct {
	// eventsPerSecond bounds the events of one second; 0 means no limit.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	EventsPerSecond *int32 `json:"eventsPerSecond,omitempty"`
}

// DeadLetter says where dead letters go.
type DeadLetter struct {
	// sinkRef names the EventSink that takes them.
	// +required
	SinkRef SinkReference `json:"sinkRef,omitzero"`
}
