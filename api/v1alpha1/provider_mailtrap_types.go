package v1alpha1

// MailtrapProvider holds the settings of a Mailtrap webhook.
type MailtrapProvider struct {
	// signingSecretRefs name the signing secrets that are valid now; several during a rotation. Mailtrap shows the secret of a webhook once,
	// when that is made. They may be left out only where spec.authentication sets another factor: webhooks from before there were
	// signatures have none.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
}
