package v1alpha1

// ContentMode is one of the content modes of the CloudEvents HTTP protocol binding.
// +kubebuilder:validation:Enum=Structured;Binary;Batched
type ContentMode string

// The content modes.
const (
	ContentModeStructured ContentMode = "Structured"
	ContentModeBinary     ContentMode = "Binary"
	ContentModeBatched    ContentMode = "Batched"
)

// HTTPSink posts events to a URL.
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.url.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless url begins with https:"
type HTTPSink struct {
	// url is where events are posted to, http or https. Credentials belong in headers, not in the URL.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https?://[^/?#@]+([/?#].*)?$')",message="must be an absolute http or https URL without user name and password"
	URL string `json:"url,omitempty"`
	// contentMode is Structured: one event per request, as application/cloudevents+json; Binary: one event per request, its
	// data as the body and its attributes in ce- headers; or Batched: several events per request, as
	// application/cloudevents-batch+json.
	// +optional
	// +kubebuilder:default=Structured
	ContentMode ContentMode `json:"contentMode,omitempty"`
	// signingSecretRefs name the secrets that requests are signed with, as the Standard Webhooks specification says; several
	// during a rotation, each adding a signature. Without them requests are not signed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
	// headers are added to every request.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []HTTPHeader `json:"headers,omitempty"`
	// tls holds certificates for a destination that has one of a private authority, or asks for one. There is no way to leave its
	// certificate unverified.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// HTTPHeader is a header and its value, or a reference to its value.
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.secretRef)",message="exactly one of value and secretRef must be set"
type HTTPHeader struct {
	// name is the name of the header. Headers that Mailvane or the connection sets cannot be named: Content-Type, Host and their
	// like, and all that begin with ce- or webhook-.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`
	// +kubebuilder:validation:XValidation:rule="!self.lowerAscii().matches('^(ce-.*|webhook-.*|connection|content-encoding|content-length|content-type|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$')",message="must not be a header that Mailvane or the connection sets"
	Name string `json:"name,omitempty"`
	// value is the value of the header.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
	// secretRef names the value of the header.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`
}
