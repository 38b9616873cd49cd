package v1alpha1

// EventBridgeSink puts events onto an event bus of Amazon EventBridge, one entry for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || has(self.endpoint) && self.endpoint.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless endpoint begins with https:"
type EventBridgeSink struct {
	// busARN is the ARN of the event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/mail.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1600
	// +kubebuilder:validation:Pattern=`^arn:[a-z0-9-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9/_.-]+$`
	BusARN string `json:"busARN,omitempty"`
	// source is the source of the events, which rules go by.
	// +optional
	// +kubebuilder:default="mailvane"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._/-]+$') && !self.startsWith('aws.')",message="must be letters, digits and . _ / -, and must not begin with aws., which AWS keeps for itself"
	Source string `json:"source,omitempty"`
	// endpoint is the URL of another server than that of AWS in the bus's region, such as that of a VPC endpoint.
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
