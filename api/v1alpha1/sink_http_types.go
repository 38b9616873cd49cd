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

// HTTPBodyType says what requests hold.
// +kubebuilder:validation:Enum=CloudEvents;Raw;Template
type HTTPBodyType string

// The values of body.type.
const (
	HTTPBodyTypeCloudEvents HTTPBodyType = "CloudEvents"
	HTTPBodyTypeRaw         HTTPBodyType = "Raw"
	HTTPBodyTypeTemplate    HTTPBodyType = "Template"
)

// HTTPSink posts events to a URL.
// +kubebuilder:validation:XValidation:rule="has(self.url) != has(self.urlSecretRef)",message="exactly one of url and urlSecretRef must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.body) || self.body.type == 'CloudEvents' || !has(self.contentMode) || self.contentMode == 'Structured'",fieldPath=".contentMode",message="must be Structured, or left out, unless body.type is CloudEvents"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.url) || self.url.startsWith('https:')",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set unless url begins with https:"
type HTTPSink struct {
	// url is where events are posted to, http or https. Credentials belong in headers, not in the URL.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https?://[^/?#@]+([/?#].*)?$')",message="must be an absolute http or https URL without user name and password"
	URL string `json:"url,omitempty"`
	// urlSecretRef names a URL that is a credential itself, such as that of an incoming webhook of Slack.
	// +optional
	URLSecretRef *SecretKeyReference `json:"urlSecretRef,omitempty"`
	// contentMode is Structured: one event per request, as application/cloudevents+json; Binary: one event per request, its
	// data as the body and its attributes in ce- headers; or Batched: several events per request, as
	// application/cloudevents-batch+json.
	// +optional
	// +kubebuilder:default=Structured
	ContentMode ContentMode `json:"contentMode,omitempty"`
	// body says what requests hold; the events as CloudEvents unless set.
	// +optional
	Body HTTPBody `json:"body,omitzero"`
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

// HTTPBody says what requests hold.
// +kubebuilder:validation:XValidation:rule="(self.type == 'Template') == has(self.template)",fieldPath=".template",message="must be set when type is Template, and only then"
type HTTPBody struct {
	// type is CloudEvents: what contentMode says; Raw: one event per request, as the provider sent it; or Template: one event per request, as the
	// JSON that template makes of it.
	// +required
	// +unionDiscriminator
	Type HTTPBodyType `json:"type,omitempty"`
	// template is a CEL expression over event that yields an object or a list, such as {"email": event.recipient, "type": event.bounce.type}.
	// An event for which it fails becomes a dead letter.
	// +optional
	// +unionMember
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Template string `json:"template,omitempty"`
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
