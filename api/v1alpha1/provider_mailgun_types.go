package v1alpha1

// MailgunProvider holds the settings of a webhook of Mailgun, or of a route that forwards mail. Mailgun's signature covers a time and a
// token and not the body: whoever has seen one request can send any other with it, so spec.authentication must set a further factor.
type MailgunProvider struct {
	// signingKeyRefs name the HTTP webhook signing keys that are valid now; several during a rotation. It is one for a whole account. For
	// the events of subaccounts that of the primary account will do, too.
	// With spec.registration they may be left out: the manager takes them from the provider.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SigningKeyRefs []SecretKeyReference `json:"signingKeyRefs,omitempty"`
	// bodyIntegrity set to None lets spec.authentication be left out. Then whoever has seen one request of Mailgun, for example in a
	// log, can forge bounces, complaints and unsubscriptions for as long as toleranceSeconds lets him.
	// +optional
	BodyIntegrity BodyIntegrity `json:"bodyIntegrity,omitempty"`
	// toleranceSeconds is how far the signed time may lie from now; 0 means that it is not checked. Mailgun sends an event again for
	// eight hours, and it is not known whether it signs it anew, so a value below 32400 may refuse retries.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds int32 `json:"toleranceSeconds,omitempty"`
}
