package v1alpha1

// ProviderType names an email provider.
// +kubebuilder:validation:Enum=WebexConnect;MailChannels;EmailEngine;EngageLab
type ProviderType string

// The providers.
const (
	WebexConnect ProviderType = "WebexConnect"
	MailChannels ProviderType = "MailChannels"
	EmailEngine  ProviderType = "EmailEngine"
	EngageLab    ProviderType = "EngageLab"
)

// Provider is a provider and its settings: exactly the member that type names is set.
// +kubebuilder:validation:XValidation:rule="self.type != 'WebexConnect' || has(self.webexConnect)",fieldPath=".webexConnect",reason=FieldValueRequired,message="must be set when type is WebexConnect"
// +kubebuilder:validation:XValidation:rule="self.type == 'WebexConnect' || !has(self.webexConnect)",fieldPath=".webexConnect",reason=FieldValueForbidden,message="must not be set unless type is WebexConnect"
// +kubebuilder:validation:XValidation:rule="self.type != 'MailChannels' || has(self.mailChannels)",fieldPath=".mailChannels",reason=FieldValueRequired,message="must be set when type is MailChannels"
// +kubebuilder:validation:XValidation:rule="self.type == 'MailChannels' || !has(self.mailChannels)",fieldPath=".mailChannels",reason=FieldValueForbidden,message="must not be set unless type is MailChannels"
// +kubebuilder:validation:XValidation:rule="self.type != 'EmailEngine' || has(self.emailEngine)",fieldPath=".emailEngine",reason=FieldValueRequired,message="must be set when type is EmailEngine"
// +kubebuilder:validation:XValidation:rule="self.type == 'EmailEngine' || !has(self.emailEngine)",fieldPath=".emailEngine",reason=FieldValueForbidden,message="must not be set unless type is EmailEngine"
// +kubebuilder:validation:XValidation:rule="self.type != 'EngageLab' || has(self.engageLab)",fieldPath=".engageLab",reason=FieldValueRequired,message="must be set when type is EngageLab"
// +kubebuilder:validation:XValidation:rule="self.type == 'EngageLab' || !has(self.engageLab)",fieldPath=".engageLab",reason=FieldValueForbidden,message="must not be set unless type is EngageLab"
type Provider struct {
	// type names the provider. It must not be changed: an endpoint of another provider is another endpoint.
	// +required
	// +unionDiscriminator
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="must not be changed; create another WebhookEndpoint"
	Type ProviderType `json:"type,omitempty"`
	// webexConnect holds the settings of type WebexConnect.
	// +optional
	// +unionMember
	WebexConnect *WebexConnectProvider `json:"webexConnect,omitempty"`
	// mailChannels holds the settings of type MailChannels.
	// +optional
	// +unionMember
	MailChannels *MailChannelsProvider `json:"mailChannels,omitempty"`
	// emailEngine holds the settings of type EmailEngine.
	// +optional
	// +unionMember
	EmailEngine *EmailEngineProvider `json:"emailEngine,omitempty"`
	// engageLab holds the settings of type EngageLab.
	// +optional
	// +unionMember
	EngageLab *EngageLabProvider `json:"engageLab,omitempty"`
}
