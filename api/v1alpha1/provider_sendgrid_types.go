package v1alpha1

// SendGridProvider holds the settings of a webhook of Twilio SendGrid: its Event Webhook, its Inbound Parse, or both.
type SendGridProvider struct {
	// publicKeys are the verification keys that are valid now, as SendGrid shows them: the base64 of a SubjectPublicKeyInfo. Each Event
	// Webhook and each security policy of Inbound Parse has one of its own. They may be left out only where spec.authentication sets
	// another factor: SendGrid signs nothing unless it is told to.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	PublicKeys []string `json:"publicKeys,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. SendGrid does not say whether a
	// retry, for which it takes up to a day, is signed anew, so a small value may refuse retries.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds int32 `json:"toleranceSeconds,omitempty"`
}
