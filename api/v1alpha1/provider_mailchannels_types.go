package v1alpha1

// MailChannelsProvider holds the settings of a MailChannels Email API webhook.
type MailChannelsProvider struct {
	// customerHandles are your account's handles, sub-accounts included. Items of any other handle are dropped: MailChannels
	// signs for all of its customers with the same key, so the signature alone does not say that an event is yours.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	CustomerHandles []string `json:"customerHandles,omitempty"`
	// publicKeys are keys of MailChannels that are known beforehand, for receivers that may not fetch them.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	PublicKeys []MailChannelsPublicKey `json:"publicKeys,omitempty"`
	// publicKeyURL is where keys that are not in publicKeys are fetched from, by their id. The default is the address
	// that MailChannels publishes.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https://[^/?#@]+([/?#].*)?$')",message="must be an absolute https URL without user name and password"
	PublicKeyURL string `json:"publicKeyURL,omitempty"`
	// toleranceSeconds is how far the signature's time may lie from now; 0 means that it is not checked. MailChannels does not
	// say whether a retry is signed anew, so a small value may refuse retries.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds int32 `json:"toleranceSeconds,omitempty"`
}

// MailChannelsPublicKey is one of MailChannels' public keys.
type MailChannelsPublicKey struct {
	// id is the key's id, the "keyid" of a signature.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
	// key is the Ed25519 public key as MailChannels publishes it: the base64 of its SubjectPublicKeyInfo.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Key string `json:"key,omitempty"`
}
