package v1alpha1

// CustomerIOProvider holds the settings of a reporting webhook of Customer.io.
type CustomerIOProvider struct {
	// signingKeyRefs name the signing keys that are valid now; several during a rotation. Each reporting webhook has one of its own.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningKeyRefs []SecretKeyReference `json:"signingKeyRefs,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. Customer.io does not say whether each
	// attempt is signed anew, so that a small value may refuse some.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds int32 `json:"toleranceSeconds,omitempty"`
}
