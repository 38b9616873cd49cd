package v1alpha1

// MailPaceProvider holds the settings of a MailPace webhook.
type MailPaceProvider struct {
	// publicKeys are the keys of your domains that are valid now, as MailPace shows them: each domain has one of its own.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=43
	// +kubebuilder:validation:items:MaxLength=64
	PublicKeys []string `json:"publicKeys,omitempty"`
}
