package v1alpha1

// StandardWebhooksProvider holds the settings of a webhook that is signed by the specification of Standard Webhooks, as Svix and many
// who send with it do.
// +kubebuilder:validation:XValidation:rule="has(self.signingSecretRefs) || has(self.publicKeys)",fieldPath=".signingSecretRefs",reason=FieldValueRequired,message="must be set unless publicKeys is"
type StandardWebhooksProvider struct {
	// signingSecretRefs name the signing secrets that are valid now, which begin with whsec_; several during a rotation.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
	// publicKeys are the Ed25519 keys that are valid now, which begin with whpk_, of a sender who signs with v1a.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=44
	// +kubebuilder:validation:items:MaxLength=64
	PublicKeys []string `json:"publicKeys,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. By the specification each attempt is
	// signed anew, so that the default refuses no retry.
	// +optional
	// +kubebuilder:default=300
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds *int32 `json:"toleranceSeconds,omitempty"`
	// mapping says what the bodies mean. Without it the event types of Resend's form are known, and all others are events of type
	// unknown with their raw body.
	// +optional
	Mapping *EventMapping `json:"mapping,omitempty"`
}
