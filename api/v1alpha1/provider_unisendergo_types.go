package v1alpha1

// UnisenderGoProvider holds the settings of an Unisender Go webhook.
type UnisenderGoProvider struct {
	// apiKeyRefs name the API keys that are valid now; several during a rotation. They are those of the user or of the project whose webhook
	// it is: Unisender Go signs with the key of its API.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	APIKeyRefs []SecretKeyReference `json:"apiKeyRefs,omitempty"`
}
