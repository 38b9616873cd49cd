package v1alpha1

// GmailPubSubProvider holds the settings of Gmail's push notifications, which a push subscription of Google Cloud Pub/Sub posts. Pub/Sub signs
// no body. Without audiences and serviceAccounts, spec.authentication must set a factor.
// +kubebuilder:validation:XValidation:rule="!has(self.audiences) || has(self.serviceAccounts)",fieldPath=".serviceAccounts",reason=FieldValueRequired,message="must be set when audiences is: Google makes tokens with any audience for everybody"
// +kubebuilder:validation:XValidation:rule="!has(self.serviceAccounts) || has(self.audiences)",fieldPath=".audiences",reason=FieldValueRequired,message="must be set when serviceAccounts is: the push URL, or what the subscription names"
type GmailPubSubProvider struct {
	// audiences ask for the token of Google that a push subscription with authentication sends along, and are what its "aud" may be: the
	// audience of the subscription, or where it names none the push URL as it was typed there.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Audiences []string `json:"audiences,omitempty"`
	// serviceAccounts are the addresses of the service accounts whose tokens may come, in small letters, for example
	// push@project.iam.gserviceaccount.com; several while one is replaced.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=254
	// +kubebuilder:validation:items:Pattern=`^[^@\sA-Z]+@[^@\sA-Z]+$`
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`
}
