package v1alpha1

// MailerSendProvider holds the settings of MailerSend's webhooks and inbound routes.
type MailerSendProvider struct {
	// signingSecretRefs name the signing secrets that are valid now; several during a rotation, or where several webhooks post here. Each
	// webhook has one, and each inbound route.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningSecretRefs []SecretKeyReference `json:"signingSecretRefs,omitempty"`
}
