package v1alpha1

// CustomProvider is a sender that Mailvane does not know: how it signs, and what its bodies mean.
type CustomProvider struct {
	// signature says how requests are signed.
	// +required
	Signature CustomSignature `json:"signature,omitzero"`
	// mapping says what the bodies mean: JSON, JSON Lines or a form.
	// +required
	Mapping EventMapping `json:"mapping,omitzero"`
}

// CustomScheme names a signature scheme.
// +kubebuilder:validation:Enum=HMAC;Ed25519;ECDSA;RSA;StandardWebhooks;None
type CustomScheme string

// The signature schemes. RSA is PKCS #1 v1.5.
const (
	CustomHMAC             CustomScheme = "HMAC"
	CustomEd25519          CustomScheme = "Ed25519"
	CustomECDSA            CustomScheme = "ECDSA"
	CustomRSA              CustomScheme = "RSA"
	CustomStandardWebhooks CustomScheme = "StandardWebhooks"
	CustomNone             CustomScheme = "None"
)

// CustomEncoding is how bytes are written as text.
// +kubebuilder:validation:Enum=Hex;Base64;Base64URL
type CustomEncoding string

// The encodings.
const (
	CustomHex       CustomEncoding = "Hex"
	CustomBase64    CustomEncoding = "Base64"
	CustomBase64URL CustomEncoding = "Base64URL"
)

// CustomSignature says how a sender signs.
// +kubebuilder:validation:XValidation:rule="has(self.header) != (self.scheme in ['StandardWebhooks', 'None'])",fieldPath=".header",message="must be set, and must not be with StandardWebhooks or None"
// +kubebuilder:validation:XValidation:rule="has(self.keyRefs) != (self.scheme == 'None')",fieldPath=".keyRefs",message="must be set, and must not be for scheme None"
type CustomSignature struct {
	// scheme is how requests are signed. None needs a factor in spec.authentication.
	// +required
	Scheme CustomScheme `json:"scheme,omitempty"`
	// header holds the signature.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Header string `json:"header,omitempty"`
	// encoding is that of the signature, with or without padding.
	// +optional
	Encoding CustomEncoding `json:"encoding,omitempty"`
	// prefix stands before the signature, such as sha256=.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Prefix string `json:"prefix,omitempty"`
	// signatureName is the signature's name in a header that is a list, such as v1 in t=1767261600,v1=5257a8; there may be several.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	SignatureName string `json:"signatureName,omitempty"`
	// timestampName is the timestamp's, such as t.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	TimestampName string `json:"timestampName,omitempty"`
	// signed are the parts that are signed: body, which is the default, timestamp, url, header:NAME, text:ANY, and punctuation.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.exists_one(p, p == 'body')",message="must hold body, once: what is not signed can be replaced"
	Signed []string `json:"signed,omitempty"`
	// hash is SHA256, SHA384 or SHA512; by default SHA256.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self in ['SHA256', 'SHA384', 'SHA512']",message="must be SHA256, SHA384 or SHA512: MD5 and SHA1 are broken"
	Hash string `json:"hash,omitempty"`
	// timestampHeader holds the time of signing.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	TimestampHeader string `json:"timestampHeader,omitempty"`
	// toleranceSeconds is how far the timestamp may lie from now, by default 300; 0 = any time.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds *int32 `json:"toleranceSeconds,omitempty"`
	// keyRefs name the secrets, or public keys in PEM, base64 or hex; several during a rotation.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	KeyRefs []FileReference `json:"keyRefs,omitempty"`
	// keyEncoding is that of secrets which are no text.
	// +optional
	KeyEncoding CustomEncoding `json:"keyEncoding,omitempty"`
}
