package v1alpha1

// SNSSink publishes events to a topic of Amazon SNS, one message for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || has(self.endpoint) && self.endpoint.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless endpoint begins with https:"
type SNSSink struct {
	// topicARN is the ARN of the topic, such as arn:aws:sns:eu-west-1:123456789012:mail-events. That of a FIFO topic ends with .fifo.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+([.]fifo)?$`
	TopicARN string `json:"topicARN,omitempty"`
	// endpoint is the URL of another server than that of AWS in the topic's region, such as that of a VPC endpoint.
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
