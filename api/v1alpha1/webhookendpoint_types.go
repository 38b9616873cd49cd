package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Verification says what becomes of a request that fails a check.
// +kubebuilder:validation:Enum=Enforce;Shadow
type Verification string

// The values of spec.verification.
const (
	VerificationEnforce Verification = "Enforce"
	VerificationShadow  Verification = "Shadow"
)

// EndpointState says whether an endpoint takes requests.
// +kubebuilder:validation:Enum=Active;Paused
type EndpointState string

// The values of spec.state.
const (
	EndpointActive EndpointState = "Active"
	EndpointPaused EndpointState = "Paused"
)

// WebhookEndpointSpec is what is asked of an endpoint.
// +mailvane:catalogue:begin=factors
// +kubebuilder:validation:XValidation:rule="!has(self.provider.webexConnect) || has(self.provider.webexConnect.hubSecretRefs) || has(self.authentication)",fieldPath=".provider.webexConnect.hubSecretRefs",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.emailEngine) || has(self.provider.emailEngine.serviceSecretRefs) || has(self.authentication) || has(self.registration)",fieldPath=".provider.emailEngine.serviceSecretRefs",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.engageLab) || has(self.provider.engageLab.bodyIntegrity) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: EngageLab signs no body; to go without, set provider.engageLab.bodyIntegrity to None"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.sendGrid) || has(self.provider.sendGrid.publicKeys) || has(self.authentication) || has(self.registration)",fieldPath=".provider.sendGrid.publicKeys",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mailgun) || has(self.provider.mailgun.bodyIntegrity) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: Mailgun signs no body; to go without, set provider.mailgun.bodyIntegrity to None"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.azureCommunicationServices) || has(self.provider.azureCommunicationServices.entra) || has(self.authentication)",fieldPath=".provider.azureCommunicationServices.entra",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.amazonSES) || (!has(self.provider.amazonSES.rawDelivery) || !self.provider.amazonSES.rawDelivery) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: with provider.amazonSES.rawDelivery nothing is signed"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mailtrap) || has(self.provider.mailtrap.signingSecretRefs) || has(self.authentication) || has(self.registration)",fieldPath=".provider.mailtrap.signingSecretRefs",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.gmailPubSub) || has(self.provider.gmailPubSub.audiences) || has(self.authentication)",fieldPath=".provider.gmailPubSub.audiences",reason=FieldValueRequired,message="must be set unless spec.authentication sets another factor"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.custom) || self.provider.custom.signature.scheme != 'None' || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: with provider.custom.signature.scheme None nothing is signed"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.brevo) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example basic: Brevo signs nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.postmark) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example basic: Postmark signs nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mailjet) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example basic: Mailjet signs nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.sparkPost) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example basic: SparkPost signs nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.tencentSES) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: Tencent documents no signature"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.alibabaDirectMail) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example pathToken: what EventBridge signs is not checked"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.smtp2go) || has(self.authentication)",fieldPath=".authentication",reason=FieldValueRequired,message="must be set, for example basic: SMTP2GO signs nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.authentication) || !has(self.authentication.allowedCIDRs) || has(self.authentication.pathToken) || has(self.authentication.basic) || has(self.authentication.header) || has(self.authentication.oidc) || has(self.provider.mailChannels) || has(self.provider.resend) || has(self.provider.standardWebhooks) || has(self.provider.mandrill) || has(self.provider.scalewayTEM) || has(self.provider.mailerSend) || has(self.provider.unisenderGo) || has(self.provider.postal) || has(self.provider.customerIO) || has(self.provider.loops) || has(self.provider.mailPace) || has(self.provider.microsoftGraph) || has(self.provider.nylas) || (has(self.provider.webexConnect) && has(self.provider.webexConnect.hubSecretRefs)) || (has(self.provider.emailEngine) && (has(self.provider.emailEngine.serviceSecretRefs) || has(self.registration))) || (has(self.provider.engageLab) && has(self.provider.engageLab.bodyIntegrity)) || (has(self.provider.sendGrid) && (has(self.provider.sendGrid.publicKeys) || has(self.registration))) || (has(self.provider.mailgun) && has(self.provider.mailgun.bodyIntegrity)) || (has(self.provider.azureCommunicationServices) && has(self.provider.azureCommunicationServices.entra)) || (has(self.provider.amazonSES) && (!has(self.provider.amazonSES.rawDelivery) || !self.provider.amazonSES.rawDelivery)) || (has(self.provider.mailtrap) && (has(self.provider.mailtrap.signingSecretRefs) || has(self.registration))) || (has(self.provider.gmailPubSub) && has(self.provider.gmailPubSub.audiences)) || (has(self.provider.custom) && self.provider.custom.signature.scheme != 'None') || self.authentication.allowedCIDRs.all(c, !isCIDR(c) || cidr(c).prefixLength() >= (cidr(c).ip().family() == 4 ? 8 : 32))",fieldPath=".authentication.allowedCIDRs",message="must be ranges of /8 or longer, of IPv6 /32 or longer, where nothing else authenticates requests"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type in ['MailChannels', 'EmailEngine', 'EngageLab', 'SendGrid', 'Mailgun', 'Resend', 'Mandrill', 'Mailtrap', 'MailerSend', 'UnisenderGo', 'Brevo', 'Postmark', 'Mailjet', 'SparkPost']",fieldPath=".registration",reason=FieldValueForbidden,message="must not be set: Mailvane knows no API by which webhooks of this provider are registered"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.account) || self.provider.type in ['EngageLab', 'Mailgun', 'Mailtrap', 'MailerSend', 'Postmark', 'Mailjet']",fieldPath=".registration.account",reason=FieldValueForbidden,message="must not be set for this provider, whose key says which account is meant"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type in ['EngageLab', 'SendGrid', 'Mailgun', 'UnisenderGo', 'SparkPost']",fieldPath=".registration.region",reason=FieldValueForbidden,message="must not be set for this provider, whose API has one address"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.baseURL) || self.provider.type in ['EmailEngine']",fieldPath=".registration.baseURL",reason=FieldValueForbidden,message="must not be set for this provider, whose API has an address that is known"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'EmailEngine' || has(self.registration.baseURL)",fieldPath=".registration.baseURL",reason=FieldValueRequired,message="must be set for EmailEngine: where it is reached"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'EngageLab' || has(self.registration.account)",fieldPath=".registration.account",reason=FieldValueRequired,message="must be set for EngageLab: the API user"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type != 'EngageLab' || self.registration.region in ['Singapore', 'Turkey']",fieldPath=".registration.region",message="must be Singapore or Turkey for EngageLab"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type != 'SendGrid' || self.registration.region in ['Global', 'EU']",fieldPath=".registration.region",message="must be Global or EU for SendGrid"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'Mailgun' || has(self.registration.account)",fieldPath=".registration.account",reason=FieldValueRequired,message="must be set for Mailgun: the sending domain"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type != 'Mailgun' || self.registration.region in ['US', 'EU']",fieldPath=".registration.region",message="must be US or EU for Mailgun"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mailgun) || has(self.provider.mailgun.signingKeyRefs) || has(self.registration)",fieldPath=".provider.mailgun.signingKeyRefs",reason=FieldValueRequired,message="must be set unless spec.registration is: the manager then takes the key from the provider"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.resend) || has(self.provider.resend.signingSecretRefs) || has(self.registration)",fieldPath=".provider.resend.signingSecretRefs",reason=FieldValueRequired,message="must be set unless spec.registration is: the manager then takes the key from the provider"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mandrill) || has(self.provider.mandrill.webhookKeyRefs) || has(self.registration)",fieldPath=".provider.mandrill.webhookKeyRefs",reason=FieldValueRequired,message="must be set unless spec.registration is: the manager then takes the key from the provider"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'Mailtrap' || has(self.registration.account)",fieldPath=".registration.account",reason=FieldValueRequired,message="must be set for Mailtrap: the id of the account"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'MailerSend' || has(self.registration.account)",fieldPath=".registration.account",reason=FieldValueRequired,message="must be set for MailerSend: the id of the domain"
// +kubebuilder:validation:XValidation:rule="!has(self.provider.mailerSend) || has(self.provider.mailerSend.signingSecretRefs) || has(self.registration)",fieldPath=".provider.mailerSend.signingSecretRefs",reason=FieldValueRequired,message="must be set unless spec.registration is: the manager then takes the key from the provider"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type != 'UnisenderGo' || self.registration.region in ['go1', 'go2']",fieldPath=".registration.region",message="must be go1 or go2 for Unisender Go"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || self.provider.type != 'Mailjet' || has(self.registration.account)",fieldPath=".registration.account",reason=FieldValueRequired,message="must be set for Mailjet: the public key"
// +kubebuilder:validation:XValidation:rule="!has(self.registration) || !has(self.registration.region) || self.provider.type != 'SparkPost' || self.registration.region in ['US', 'EU']",fieldPath=".registration.region",message="must be US or EU for SparkPost"
// +mailvane:catalogue:end=factors
type WebhookEndpointSpec struct {
	// provider says which provider posts here and how its requests are verified.
	// +required
	Provider Provider `json:"provider,omitzero"`
	// authentication lists further factors beside the provider's signature; all that are set must pass.
	// +optional
	Authentication Authentication `json:"authentication,omitzero"`
	// verification is Enforce: a request that fails a check is refused with 401; or Shadow: it is accepted, marked as
	// unverified and counted, which is meant for the time of a migration.
	// +optional
	// +kubebuilder:default=Enforce
	Verification Verification `json:"verification,omitempty"`
	// path is the path of the URL, for example /hooks/mail/engagelab. It is unique among all endpoints of a receiver.
	// The default is /hooks/<namespace>/<name>.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="must begin with a slash"
	// +kubebuilder:validation:XValidation:rule="!self.endsWith('/')",message="must not end with a slash"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') || self.endsWith('/') || self.matches('^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$')",message="must consist of segments of letters, digits and . _ ~ - that do not begin with a dot"
	Path string `json:"path,omitempty"`
	// maxBodySize bounds the body of one request, between 1Ki and 100Mi; a larger one is answered with 413.
	// +optional
	// +kubebuilder:default="10Mi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('100Mi')) <= 0)",message="must be between 1Ki and 100Mi"
	MaxBodySize resource.Quantity `json:"maxBodySize,omitzero"`
	// routes say which events go to which sinks. Every route is tried; an event may take several.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Routes []Route `json:"routes,omitempty"`
	// registration has the manager keep the webhook registered at the provider, by the provider's API. Without it, the URL is given to the
	// provider by hand.
	// +optional
	Registration *Registration `json:"registration,omitempty"`
	// exposure makes the endpoint reachable from outside of the cluster. Without it, it is reached through the Service of its
	// receiver, and whatever you put in front of that.
	// +optional
	Exposure *Exposure `json:"exposure,omitempty"`
	// receiver gives, even when it is empty, the endpoint a receiver of its own. Without it, it shares that of the namespace.
	// +optional
	Receiver *Receiver `json:"receiver,omitempty"`
	// state is Active, or Paused: requests are answered with 503 and Retry-After, so that the provider keeps its events.
	// +optional
	// +kubebuilder:default=Active
	State EndpointState `json:"state,omitempty"`
}

// Route sends the events that its filter selects to one sink.
type Route struct {
	// name is unique within the endpoint.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// sinkRef names the EventSink.
	// +required
	SinkRef SinkReference `json:"sinkRef,omitzero"`
	// filter is a CEL expression over "event", for example: event.type == "email.bounced" && event.bounce.type == "hard".
	// Without a filter a route takes every event but the provider's own tests. While it does not compile, what arrives becomes
	// dead letters of this route.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Filter string `json:"filter,omitempty"`
}

// WebhookEndpointStatus is what is known of an endpoint.
// +kubebuilder:validation:MinProperties=1
type WebhookEndpointStatus struct {
	// conditions are Ready, ReferencesResolved, RoutesReady, ReceiverAvailable, Programmed and, with spec.exposure, Exposed, with
	// spec.registration Registered; and Stalled if nothing but a change of the object helps.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// url is the URL to give to the provider. A path token is not part of it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url,omitempty"`
	// receiver is the name of the receiver that serves the endpoint, which is the name of its Service and of its Deployment or
	// StatefulSet. While the endpoint moves to another one, both serve it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Receiver string `json:"receiver,omitempty"`
}

// WebhookEndpoint receives the webhooks of one email provider.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=whe,categories=mailvane
// +kubebuilder:printcolumn:name="Provider",type=string,JSONPath=`.spec.provider.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="State",type=string,priority=1,JSONPath=`.spec.state`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WebhookEndpoint struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what is asked of the endpoint.
	// +required
	Spec WebhookEndpointSpec `json:"spec,omitzero"`
	// status is what is known of the endpoint.
	// +optional
	Status WebhookEndpointStatus `json:"status,omitzero"`
}

// Path returns spec.path, or its default, /hooks/<namespace>/<name>.
func (e *WebhookEndpoint) Path() string {
	if e.Spec.Path != "" {
		return e.Spec.Path
	}
	return "/hooks/" + e.Namespace + "/" + e.Name
}

// WebhookEndpointList is a list of endpoints.
// +kubebuilder:object:root=true
type WebhookEndpointList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []WebhookEndpoint `json:"items"`
}
