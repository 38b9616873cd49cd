package v1alpha1

// WebexConnectSignatureAlgorithm names the hash of the HMAC that Webex Connect signs with.
// +kubebuilder:validation:Enum=SHA256;SHA512;SHA1
type WebexConnectSignatureAlgorithm string

// The algorithms that Webex Connect offers.
const (
	WebexConnectSHA256 WebexConnectSignatureAlgorithm = "SHA256"
	WebexConnectSHA512 WebexConnectSignatureAlgorithm = "SHA512"
	WebexConnectSHA1   WebexConnectSignatureAlgorithm = "SHA1"
)

// WebexConnectProvider holds the settings of a Webex Connect outbound webhook.
type WebexConnectProvider struct {
	// hubSecretRefs name the hub secrets that are valid now; several during a rotation. They may be left out only where
	// spec.authentication sets another factor: without a hub secret Webex Connect signs nothing.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	HubSecretRefs []SecretKeyReference `json:"hubSecretRefs,omitempty"`
	// signatureAlgorithm is the one that is chosen in the webhook's form at Webex Connect. SHA1 is only found on webhooks that
	// were created before SHA256 and SHA512 were offered.
	// +optional
	// +kubebuilder:default=SHA256
	SignatureAlgorithm WebexConnectSignatureAlgorithm `json:"signatureAlgorithm,omitempty"`
}
