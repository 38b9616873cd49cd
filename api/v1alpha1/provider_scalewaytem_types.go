package v1alpha1

// ScalewayTEMProvider holds the settings of Scaleway Transactional Email events that a topic of Scaleway Topics and Events delivers.
type ScalewayTEMProvider struct {
	// topicARNs are the topics that may post. Anybody with an account at Scaleway can have a topic of his own post to any URL, with a
	// valid signature, so what comes from another topic is refused.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:Pattern=`^arn:scw:sns:[a-z0-9-]+:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$`
	TopicARNs []string `json:"topicARNs,omitempty"`
	// confirmSubscriptions says who visits the URL by which a subscription to a listed topic begins: Automatic, or Manual.
	// +optional
	// +kubebuilder:default=Automatic
	ConfirmSubscriptions SubscriptionConfirmation `json:"confirmSubscriptions,omitempty"`
	// certificateAuthorities are those that issue the certificates which sign, in PEM: the file sns-trust-chain.pem that Scaleway publishes
	// for the region. A certificate in it that is no authority is trusted to sign by itself, for receivers that may not fetch any.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32768
	CertificateAuthorities []string `json:"certificateAuthorities,omitempty"`
}
