package v1alpha1

// RabbitMQContentMode is one of the content modes of the CloudEvents AMQP protocol binding.
// +kubebuilder:validation:Enum=Structured;Binary
type RabbitMQContentMode string

// The content modes.
const (
	RabbitMQContentModeStructured RabbitMQContentMode = "Structured"
	RabbitMQContentModeBinary     RabbitMQContentMode = "Binary"
)

// RabbitMQTLSMode says whether connections are encrypted.
// +kubebuilder:validation:Enum=Verify;Disable
type RabbitMQTLSMode string

// The values of tlsMode.
const (
	RabbitMQTLSModeVerify  RabbitMQTLSMode = "Verify"
	RabbitMQTLSModeDisable RabbitMQTLSMode = "Disable"
)

// RabbitMQSink publishes events to an exchange of RabbitMQ, by AMQP 0-9-1, one message for each event.
// +kubebuilder:validation:XValidation:rule="has(self.basicRef) || has(self.tls) && has(self.tls.secretRef)",message="basicRef must be set, or tls.secretRef, whose certificate then shows who the sink is"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type RabbitMQSink struct {
	// addresses are the nodes of the cluster, each with its port, such as rabbitmq.rabbitmq.svc:5671. They are tried in turn.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Addresses []RabbitMQAddress `json:"addresses,omitempty"`
	// virtualHost is the virtual host.
	// +optional
	// +kubebuilder:default="/"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	VirtualHost string `json:"virtualHost,omitempty"`
	// exchange is the exchange, which must be there. The default exchange unless set, where a routing key is the name of a queue.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._:/-]+$`
	Exchange string `json:"exchange,omitempty"`
	// routingKey is the routing key of an event: a text that may hold {type}, {provider}, {namespace} and {endpoint}, such as mail.{type},
	// which is mail.email.bounced of a bounce. A queue must get what is published with it.
	// +optional
	// +kubebuilder:default="mailvane.{type}"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9._:/-]|\{(type|provider|namespace|endpoint)\})+$`
	RoutingKey string `json:"routingKey,omitempty"`
	// contentMode is Structured: a message's body is the whole event; or Binary: its body is the event's data, and its headers are the
	// event's attributes.
	// +optional
	// +kubebuilder:default=Structured
	ContentMode RabbitMQContentMode `json:"contentMode,omitempty"`
	// basicRef names a Secret with a user's name and password. Without it the certificate of tls.secretRef shows who the sink is (EXTERNAL).
	// +optional
	BasicRef *BasicSecretReference `json:"basicRef,omitempty"`
	// tlsMode is Verify: connections are encrypted, and the server's certificate is verified; or Disable: they are not.
	// +optional
	// +kubebuilder:default=Verify
	TLSMode RabbitMQTLSMode `json:"tlsMode,omitempty"`
	// tls holds certificates for servers that have one of a private authority, or ask for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// RabbitMQAddress is the name or address of a node with its port. An IPv6 address is between brackets.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=260
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$`
type RabbitMQAddress string
