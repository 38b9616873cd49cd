package v1alpha1

// MicrosoftGraphProvider holds the settings of change notifications of Microsoft Graph for mail.
// +kubebuilder:validation:XValidation:rule="!has(self.tokens) || has(self.tenantIDs)",fieldPath=".tenantIDs",reason=FieldValueRequired,message="must be set where tokens is: anybody's tenant makes tokens"
type MicrosoftGraphProvider struct {
	// clientStateRefs name the values of clientState that subscriptions were made with; several during a rotation, or for several
	// subscriptions. A notification with another one, or with none, is for somebody else. Use at least 32 random characters, 128 at most.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ClientStateRefs []SecretKeyReference `json:"clientStateRefs,omitempty"`
	// tenantIDs are the tenants whose notifications are taken, as UUIDs in lower case. By default all are that have a clientState.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=36
	// +kubebuilder:validation:items:MaxLength=36
	// +kubebuilder:validation:items:Pattern=`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	TenantIDs []string `json:"tenantIDs,omitempty"`
	// decryptionKeys are the private keys of the certificates that subscriptions with resource data were made with; several during a rotation.
	// +optional
	// +listType=map
	// +listMapKey=certificateID
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	DecryptionKeys []MicrosoftGraphDecryptionKey `json:"decryptionKeys,omitempty"`
	// tokens asks for the validation tokens that notifications with resource data come with. It asks for tenantIDs.
	// +optional
	Tokens *MicrosoftGraphTokens `json:"tokens,omitempty"`
	// subscribedFolder says what the subscriptions are to: Inbox is the inbox alone, in which a message that is created came in. A
	// notification does not say in which folder it happened.
	// +optional
	// +kubebuilder:default=Any
	// +kubebuilder:validation:Enum=Any;Inbox
	SubscribedFolder MicrosoftGraphFolder `json:"subscribedFolder,omitempty"`
}

// MicrosoftGraphFolder is what subscriptions are to.
type MicrosoftGraphFolder string

// MicrosoftGraphDecryptionKey is the private key of one certificate.
type MicrosoftGraphDecryptionKey struct {
	// certificateID is the encryptionCertificateId of the subscription.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	CertificateID string `json:"certificateID,omitempty"`
	// keyRef names the private key, of RSA with 2048 to 4096 bits, in PEM.
	// +required
	KeyRef FileReference `json:"keyRef,omitzero"`
}

// MicrosoftGraphTokens says which validation tokens are good.
type MicrosoftGraphTokens struct {
	// audiences are the client ids of the applications that made the subscriptions.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Audiences []string `json:"audiences,omitempty"`
	// applicationIDs are the applications that may ask for the tokens. The default is that of Microsoft Graph's change notifications.
	// +optional
	// +listType=set
	// +kubebuilder:default={"0bf30f3b-4a52-48df-9a82-234910c4a086"}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=36
	// +kubebuilder:validation:items:MaxLength=36
	// +kubebuilder:validation:items:Pattern=`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	ApplicationIDs []string `json:"applicationIDs,omitempty"`
}
