package v1alpha1

// SQSSink sends events to a queue of Amazon SQS, one message for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || has(self.endpoint) && self.endpoint.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless endpoint begins with https:"
type SQSSink struct {
	// queueURL is the URL of the queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/mail-events. That of a FIFO queue ends with .fifo.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/[A-Za-z0-9/_.-]+$`
	QueueURL string `json:"queueURL,omitempty"`
	// region is where the queue is, such as eu-west-1.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9-]+$`
	Region string `json:"region,omitempty"`
	// endpoint is the URL of another server than that of AWS in the region, such as that of a VPC endpoint or of ElasticMQ.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	Endpoint string `json:"endpoint,omitempty"`
	// authentication says how the sink shows who it is; by web identity, as the role of the receiver's service account, unless set.
	// +optional
	Authentication AWSAuthentication `json:"authentication,omitzero"`
	// tls holds certificates for an endpoint that has one of a private authority, or asks for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}
