package v1alpha1

// MandrillProvider holds the settings of a webhook of Mailchimp Transactional, formerly Mandrill.
type MandrillProvider struct {
	// webhookKeyRefs name the keys of the webhook that are valid now; several during a rotation. Mandrill shows a key once the webhook is
	// saved, so that its first, empty request is accepted without one.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	WebhookKeyRefs []SecretKeyReference `json:"webhookKeyRefs,omitempty"`
	// publicURLs are what was typed at Mandrill as the URL to post to, each exactly as it stands there, with user name and password, query
	// and slash at the end where it has them: the URL is signed. Several while an endpoint moves. The default is the host of
	// spec.exposure, or else the one that a request names, with https and the path that it came to. Whoever may read the endpoint can read them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.all(u, isURL(u) && u.matches('^https?://[^/?#]+([/?][^#]*)?$'))",message="must be absolute http or https URLs without a fragment"
	PublicURLs []string `json:"publicURLs,omitempty"`
}
