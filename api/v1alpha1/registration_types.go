package v1alpha1

// RegistrationDeletionPolicy says what becomes of a webhook whose endpoint is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type RegistrationDeletionPolicy string

// The values of spec.registration.deletionPolicy.
const (
	RegistrationRetain RegistrationDeletionPolicy = "Retain"
	RegistrationDelete RegistrationDeletionPolicy = "Delete"
)

// Registration has the manager keep a webhook registered at the provider.
type Registration struct {
	// apiKeyRef names the key of the provider's API. It needs the right to read and write webhooks, and nothing else. Receivers do not get it.
	// +required
	APIKeyRef SecretKeyReference `json:"apiKeyRef,omitzero"`
	// account says what the provider's API asks for beside the key, such as the sending domain of Mailgun; docs/registration.md lists it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._@+-]*$`
	Account string `json:"account,omitempty"`
	// region is where the provider keeps the account, for providers with an API for each; the first one that docs/registration.md lists unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region,omitempty"`
	// baseURL is where a provider is reached that you run yourself, such as https://emailengine.example.com. Plain http is taken for Services
	// of the cluster alone, such as http://emailengine.mail.svc:3000: the key goes there.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && (self.matches('^https://[^/?#@]+(/[^?#]*)?$') || self.matches('^http://[a-z0-9-]+[.][a-z0-9-]+[.]svc([.]cluster[.]local)?(:[0-9]+)?(/[^?#]*)?$'))",message="must be an https URL without user name, password, query and fragment, or the http URL of a Service such as http://name.namespace.svc:3000"
	BaseURL string `json:"baseURL,omitempty"`
	// events are what the provider is to post, under its own names. The default is all that it has and this release knows.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9_.*:-]+$`
	Events []string `json:"events,omitempty"`
	// deletionPolicy says what becomes of the webhook when the endpoint is deleted: Retain, it stays; or Delete, the manager removes it, which
	// the deletion waits for, though not for ever.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy RegistrationDeletionPolicy `json:"deletionPolicy,omitempty"`
}
