package v1alpha1

// ResendProvider holds the settings of a Resend webhook.
type ResendProvider struct {
	// signingSecretRefs name the signing secrets that are valid now, which begin with whsec_; several during a rotation. Each webhook at
	// Resend has one of its own.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. Each attempt is signed anew, so that
	// the default refuses no retry.
	// +optional
	// +kubebuilder:default=300
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds *int32 `json:"toleranceSeconds,omitempty"`
}
