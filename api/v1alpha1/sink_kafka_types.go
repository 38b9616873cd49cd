package v1alpha1

// KafkaContentMode is one of the content modes of the CloudEvents Kafka protocol binding.
// +kubebuilder:validation:Enum=Structured;Binary
type KafkaContentMode string

// The content modes.
const (
	KafkaContentModeStructured KafkaContentMode = "Structured"
	KafkaContentModeBinary     KafkaContentMode = "Binary"
)

// KafkaCompression is how batches of events are compressed.
// +kubebuilder:validation:Enum=None;Gzip;Snappy;LZ4;Zstd
type KafkaCompression string

// The values of compression.
const (
	KafkaCompressionNone   KafkaCompression = "None"
	KafkaCompressionGzip   KafkaCompression = "Gzip"
	KafkaCompressionSnappy KafkaCompression = "Snappy"
	KafkaCompressionLZ4    KafkaCompression = "LZ4"
	KafkaCompressionZstd   KafkaCompression = "Zstd"
)

// KafkaIdempotence says whether brokers are to drop what they get twice.
// +kubebuilder:validation:Enum=Enable;Disable
type KafkaIdempotence string

// The values of idempotence.
const (
	KafkaIdempotenceEnable  KafkaIdempotence = "Enable"
	KafkaIdempotenceDisable KafkaIdempotence = "Disable"
)

// KafkaTLSMode says whether connections are encrypted.
// +kubebuilder:validation:Enum=Verify;Disable
type KafkaTLSMode string

// The values of tlsMode.
const (
	KafkaTLSModeVerify  KafkaTLSMode = "Verify"
	KafkaTLSModeDisable KafkaTLSMode = "Disable"
)

// KafkaSink produces events to topics of Kafka, or of a service that speaks its protocol, one record for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type KafkaSink struct {
	// brokers are some brokers of the cluster, each with its port, such as kafka-bootstrap.kafka.svc:9093. They name the others.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Brokers []KafkaAddress `json:"brokers,omitempty"`
	// topic is the topic of an event: a text that may hold {type}, {provider}, {namespace} and {endpoint}, such as mail.{type}, which is
	// mail.email.bounced of a bounce. Topics must be there.
	// +optional
	// +kubebuilder:default="mailvane"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9._-]|\{(type|provider|namespace|endpoint)\})+$`
	// +kubebuilder:validation:XValidation:rule="!(self in ['.', '..'])",message="must not be . or .."
	Topic string `json:"topic,omitempty"`
	// contentMode is Structured: a record's value is the whole event; or Binary: its value is the event's data, and its headers are the
	// event's attributes.
	// +optional
	// +kubebuilder:default=Structured
	ContentMode KafkaContentMode `json:"contentMode,omitempty"`
	// compression is that of batches of records.
	// +optional
	// +kubebuilder:default=Snappy
	Compression KafkaCompression `json:"compression,omitempty"`
	// idempotence is Enable: a record that is sent again because its answer was lost is stored once; or Disable, for servers that do not
	// know that, and brokers before Kafka 3.0 that do not grant the right IdempotentWrite.
	// +optional
	// +kubebuilder:default=Enable
	Idempotence KafkaIdempotence `json:"idempotence,omitempty"`
	// maxRequestBytes bounds a request before compression, and so an event: a larger one is a dead letter. What topics take, max.message.bytes,
	// should be no less.
	// +optional
	// +kubebuilder:default=1000000
	// +kubebuilder:validation:Minimum=16384
	// +kubebuilder:validation:Maximum=104857600
	MaxRequestBytes int32 `json:"maxRequestBytes,omitempty"`
	// protocolVersion is the version of Kafka whose protocol is spoken at most, such as 3.8, for servers that close the connection of who asks
	// for a newer one. The newest that both sides know unless set.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[1-9]\.[0-9]{1,2}$`
	ProtocolVersion string `json:"protocolVersion,omitempty"`
	// authentication says how the sink shows who it is; a client certificate, of tls, or nothing does unless set.
	// +optional
	Authentication KafkaAuthentication `json:"authentication,omitzero"`
	// tlsMode is Verify: connections are encrypted, and brokers' certificates are verified; or Disable: they are not.
	// +optional
	// +kubebuilder:default=Verify
	TLSMode KafkaTLSMode `json:"tlsMode,omitempty"`
	// tls holds certificates for brokers that have some of a private authority, or ask for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// KafkaAddress is the name or address of a broker with its port. An IPv6 address is between brackets.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=260
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$`
type KafkaAddress string

// KafkaAuthentication is one of the ways in which brokers tell clients apart, beside certificates.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type KafkaAuthentication struct {
	// plainRef names a Secret with a name and password for the SASL mechanism PLAIN.
	// +optional
	PlainRef *BasicSecretReference `json:"plainRef,omitempty"`
	// scramSHA256Ref names a Secret with a name and password for SCRAM-SHA-256.
	// +optional
	ScramSHA256Ref *BasicSecretReference `json:"scramSHA256Ref,omitempty"`
	// scramSHA512Ref names a Secret with a name and password for SCRAM-SHA-512.
	// +optional
	ScramSHA512Ref *BasicSecretReference `json:"scramSHA512Ref,omitempty"`
	// oauth gets a token for OAUTHBEARER from an authorization server.
	// +optional
	OAuth *KafkaOAuth `json:"oauth,omitempty"`
	// awsIAM signs with an access key of AWS, for clusters of Amazon MSK.
	// +optional
	AWSIAM *KafkaAWSIAM `json:"awsIAM,omitempty"`
}

// KafkaOAuth gets a token by the client credentials grant (RFC 6749, section 4.4).
type KafkaOAuth struct {
	// tokenURL is the token endpoint of the authorization server, https unless it is in the cluster.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https?://[^/?#@]+([/?].*)?$')",message="must be an absolute http or https URL without user name and password"
	TokenURL string `json:"tokenURL,omitempty"`
	// clientID is the name of the client there.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ClientID string `json:"clientID,omitempty"`
	// clientSecretRef names the client's secret.
	// +required
	ClientSecretRef *SecretKeyReference `json:"clientSecretRef,omitempty"`
	// scopes are asked for; those that the server gives by itself unless set.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Scopes []KafkaScope `json:"scopes,omitempty"`
	// extensions go to the broker with the token (RFC 7628, section 3.1), such as logicalCluster and identityPoolId of Confluent Cloud.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Extensions []KafkaExtension `json:"extensions,omitempty"`
	// caRefs name the keys of Secrets that hold the certificates, in PEM, of the authorities that the authorization server's certificate
	// may be from; those that the image brings unless set.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	CARefs []CertificateReference `json:"caRefs,omitempty"`
}

// KafkaScope is one scope of a token (RFC 6749, section 3.3).
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^[!#-\[\]-~]+$`
type KafkaScope string

// KafkaExtension is one extension of a token.
type KafkaExtension struct {
	// name is the name of the extension.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z]+$`
	// +kubebuilder:validation:XValidation:rule="self != 'auth'",message="must not be auth, which is the token"
	Name string `json:"name,omitempty"`
	// value is its value.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	Value string `json:"value,omitempty"`
}

// KafkaAWSIAM is an access key of AWS. The region is that in the brokers' names.
type KafkaAWSIAM struct {
	// accessKeyID is the id of the access key.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]+$`
	AccessKeyID string `json:"accessKeyID,omitempty"`
	// secretAccessKeyRef names the secret access key.
	// +required
	SecretAccessKeyRef *SecretKeyReference `json:"secretAccessKeyRef,omitempty"`
	// sessionTokenRef names the session token of a temporary access key.
	// +optional
	SessionTokenRef *SecretKeyReference `json:"sessionTokenRef,omitempty"`
}
