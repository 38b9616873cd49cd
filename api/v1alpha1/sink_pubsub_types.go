package v1alpha1

// PubSubContentMode is one of the content modes of the CloudEvents binding for Google Pub/Sub.
// +kubebuilder:validation:Enum=Structured;Binary
type PubSubContentMode string

// The content modes.
const (
	PubSubContentModeStructured PubSubContentMode = "Structured"
	PubSubContentModeBinary     PubSubContentMode = "Binary"
)

// PubSubOrderingKey says what the ordering key of a message is.
// +kubebuilder:validation:Enum=None;PartitionKey
type PubSubOrderingKey string

// The values of orderingKey.
const (
	PubSubOrderingKeyNone         PubSubOrderingKey = "None"
	PubSubOrderingKeyPartitionKey PubSubOrderingKey = "PartitionKey"
)

// PubSubSink publishes events to a topic of Google Pub/Sub, one message for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || has(self.endpoint) && self.endpoint.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless endpoint begins with https:"
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccountKeyRef) || !has(self.endpoint) || self.endpoint.startsWith('https:')",fieldPath=".serviceAccountKeyRef",reason=FieldValueForbidden,message="must not be set when endpoint begins with http:"
type PubSubSink struct {
	// topic is the name of the topic, such as projects/mail-1234/topics/mail-events.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^projects/[a-z][a-z0-9.:-]{4,61}[a-z0-9]/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`
	Topic string `json:"topic,omitempty"`
	// contentMode is Structured: a message's data is the whole event; or Binary: its data is the event's data, and its attributes are the
	// event's attributes.
	// +optional
	// +kubebuilder:default=Structured
	ContentMode PubSubContentMode `json:"contentMode,omitempty"`
	// orderingKey is None, or PartitionKey: what all events of one message share, so that a subscription with message ordering keeps
	// their order.
	// +optional
	// +kubebuilder:default=None
	OrderingKey PubSubOrderingKey `json:"orderingKey,omitempty"`
	// endpoint is the URL of another server than pubsub.googleapis.com, such as https://europe-west1-pubsub.googleapis.com:443, which
	// keeps ordering keys in one region, or that of an emulator, which begins with http:// and is told no credential.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	Endpoint string `json:"endpoint,omitempty"`
	// serviceAccountKeyRef names the key of a service account, as a file in JSON; the identity of the receiver's service account in GKE
	// is used unless set.
	// +optional
	ServiceAccountKeyRef *FileReference `json:"serviceAccountKeyRef,omitempty"`
	// tls holds certificates for an endpoint that has one of a private authority, or asks for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}
