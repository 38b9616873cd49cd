package v1alpha1

// NylasProvider holds the settings of a Nylas v3 webhook.
type NylasProvider struct {
	// webhookSecretRefs name the webhook secrets that are valid now. Nylas gives each webhook destination a secret of its own, when the
	// destination is made: list those of all that post here. Rotating one at Nylas makes the old one invalid at once.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	WebhookSecretRefs []SecretKeyReference `json:"webhookSecretRefs,omitempty"`
}
