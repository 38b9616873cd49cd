package v1alpha1

// AzureCommunicationServicesProvider holds the settings of an Event Grid subscription to the email events of Azure Communication Services.
// Event Grid signs no body. Without entra, spec.authentication must set a factor.
type AzureCommunicationServicesProvider struct {
	// entra asks for the token of Microsoft Entra ID that Event Grid sends along where the subscription says so.
	// +optional
	Entra *AzureCommunicationServicesEntra `json:"entra,omitempty"`
	// subscriptionNames are the event subscriptions that may post here, in any letter case. By default all may. The name is a header that
	// nothing proves: it keeps apart what is yours, and no stranger out.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=3
	// +kubebuilder:validation:items:MaxLength=64
	SubscriptionNames []string `json:"subscriptionNames,omitempty"`
	// allowedOrigins are those whose deliveries in the CloudEvents schema are agreed to, in any letter case.
	// +optional
	// +listType=set
	// +kubebuilder:default={eventgrid.azure.net}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9.-]+$`
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
}

// AzureCommunicationServicesEntra says which tokens of Microsoft Entra ID are good.
type AzureCommunicationServicesEntra struct {
	// tenantID is the tenant of the application, as a UUID in lower case.
	// +required
	// +kubebuilder:validation:MinLength=36
	// +kubebuilder:validation:MaxLength=36
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	TenantID string `json:"tenantID,omitempty"`
	// audiences are the client id or the application id URI that the subscription names.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Audiences []string `json:"audiences,omitempty"`
	// applicationIDs are the applications that may ask for the token. The default is that of Event Grid in Azure's public cloud.
	// +optional
	// +listType=set
	// +kubebuilder:default={"4962773b-9cdb-44cf-a8bf-237846a00ab7"}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=36
	// +kubebuilder:validation:items:MaxLength=36
	// +kubebuilder:validation:items:Pattern=`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	ApplicationIDs []string `json:"applicationIDs,omitempty"`
}
