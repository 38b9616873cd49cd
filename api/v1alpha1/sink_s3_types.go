package v1alpha1

// S3Addressing says where the bucket's name stands in URLs.
// +kubebuilder:validation:Enum=VirtualHost;Path
type S3Addressing string

// The values of addressing.
const (
	S3AddressingVirtualHost S3Addressing = "VirtualHost"
	S3AddressingPath        S3Addressing = "Path"
)

// S3Compression says how objects are compressed.
// +kubebuilder:validation:Enum=Zstd;Gzip;None
type S3Compression string

// The values of compression.
const (
	S3CompressionZstd S3Compression = "Zstd"
	S3CompressionGzip S3Compression = "Gzip"
	S3CompressionNone S3Compression = "None"
)

// S3Encryption is how the storage encrypts objects.
// +kubebuilder:validation:Enum=AES256;KMS
type S3Encryption string

// The values of encryption.
const (
	S3EncryptionAES256 S3Encryption = "AES256"
	S3EncryptionKMS    S3Encryption = "KMS"
)

// S3Sink writes events into objects of Amazon S3, or of storage that speaks its protocol, as lines of JSON.
// +kubebuilder:validation:XValidation:rule="!has(self.kmsKeyID) || has(self.encryption) && self.encryption == 'KMS'",fieldPath=".kmsKeyID",reason=FieldValueForbidden,message="must not be set unless encryption is KMS"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || has(self.endpoint) && self.endpoint.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless endpoint begins with https:"
type S3Sink struct {
	// bucket is the name of the bucket, which must exist.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`
	Bucket string `json:"bucket,omitempty"`
	// region is where the bucket is, such as eu-west-1. Storage that knows no regions mostly takes us-east-1.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9-]+$`
	Region string `json:"region,omitempty"`
	// endpoint is the URL of the storage, such as https://minio.storage.svc:9000; that of AWS in the region unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	Endpoint string `json:"endpoint,omitempty"`
	// addressing is VirtualHost: the bucket is a part of the host's name; or Path: it is the first part of the path. Path is used with an
	// endpoint, and VirtualHost without, unless set.
	// +optional
	Addressing S3Addressing `json:"addressing,omitempty"`
	// prefix begins the keys of objects: a text that may hold {type}, {provider}, {namespace}, {endpoint}, {date} and {hour}. The rest of a key
	// follows from the events that are in the object.
	// +optional
	// +kubebuilder:default="mailvane/type={type}/date={date}/"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9_.=/-]|\{(type|provider|namespace|endpoint|date|hour)\})+$`
	Prefix string `json:"prefix,omitempty"`
	// compression is Zstd, Gzip or None.
	// +optional
	// +kubebuilder:default=Zstd
	Compression S3Compression `json:"compression,omitempty"`
	// encryption is AES256: with a key of the storage; or KMS: with one of a key management service. What the bucket says unless set.
	// +optional
	Encryption S3Encryption `json:"encryption,omitempty"`
	// kmsKeyID is the key of the key management service; its default unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	KMSKeyID string `json:"kmsKeyID,omitempty"`
	// authentication says how the sink shows who it is; by web identity, as the role of the receiver's service account, unless set.
	// +optional
	Authentication AWSAuthentication `json:"authentication,omitzero"`
	// tls holds certificates for an endpoint that has one of a private authority, or asks for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}
