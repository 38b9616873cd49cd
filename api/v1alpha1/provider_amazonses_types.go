package v1alpha1

// SubscriptionConfirmation says who confirms the subscription of an endpoint to a topic.
// +kubebuilder:validation:Enum=Automatic;Manual
type SubscriptionConfirmation string

// Who confirms subscriptions.
const (
	// SubscriptionConfirmationAutomatic has the receiver confirm those to a listed topic.
	SubscriptionConfirmationAutomatic SubscriptionConfirmation = "Automatic"
	// SubscriptionConfirmationManual leaves it to people. The receiver logs the URL to visit.
	SubscriptionConfirmationManual SubscriptionConfirmation = "Manual"
)

// AmazonSESProvider holds the settings of Amazon SES events that topics of Amazon SNS deliver.
type AmazonSESProvider struct {
	// topicARNs are the topics that may post. Anybody with an account at AWS can have a topic of his own post to any URL, with a valid
	// signature, so what comes from another topic is refused.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:Pattern=`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$`
	TopicARNs []string `json:"topicARNs,omitempty"`
	// confirmSubscriptions says who visits the URL by which a subscription to a listed topic begins: Automatic, or Manual.
	// +optional
	// +kubebuilder:default=Automatic
	ConfirmSubscriptions SubscriptionConfirmation `json:"confirmSubscriptions,omitempty"`
	// requireSignatureVersion2 refuses signatures with SHA-1, which topics make unless their attribute SignatureVersion is 2.
	// +optional
	RequireSignatureVersion2 bool `json:"requireSignatureVersion2,omitempty"`
	// rawDelivery takes messages without the envelope of SNS as well, and events of EventBridge. Nothing of them is signed, so
	// spec.authentication must set a factor.
	// +optional
	RawDelivery bool `json:"rawDelivery,omitempty"`
	// certificates are certificates of SNS that are known beforehand, in PEM, for receivers that may not fetch them. They are trusted
	// whatever their dates.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=16384
	Certificates []string `json:"certificates,omitempty"`
}
