package v1alpha1

// LoopsProvider holds the settings of a Loops webhook.
type LoopsProvider struct {
	// signingSecretRefs name the signing secrets that are valid now, which begin with whsec_; several during a rotation.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. By the specification of Standard Webhooks
	// each attempt is signed anew, so that the default refuses no retry.
	// +optional
	// +kubebuilder:default=300
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds *int32 `json:"toleranceSeconds,omitempty"`
}
