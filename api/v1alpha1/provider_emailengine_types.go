package v1alpha1

// EmailEngineProvider holds the settings of EmailEngine's webhooks.
type EmailEngineProvider struct {
	// serviceSecretRefs name the values of the setting serviceSecret that are valid now; several during a rotation.
	// They may be left out only where spec.authentication sets another factor: EmailEngine signs since version 2.53.1.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ServiceSecretRefs []SecretKeyReference `json:"serviceSecretRefs,omitempty"`
}
