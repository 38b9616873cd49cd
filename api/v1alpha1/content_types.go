package v1alpha1

// RawContent says whether a sink gets the provider's own JSON.
// +kubebuilder:validation:Enum=Keep;Drop
type RawContent string

// The values of spec.content.raw.
const (
	RawKeep RawContent = "Keep"
	RawDrop RawContent = "Drop"
)

// FieldTreatment says what becomes of a field.
// +kubebuilder:validation:Enum=Keep;Drop;Mask;Hash
type FieldTreatment string

// The values of spec.content.fields.as.
const (
	TreatmentKeep FieldTreatment = "Keep"
	TreatmentDrop FieldTreatment = "Drop"
	TreatmentMask FieldTreatment = "Mask"
	TreatmentHash FieldTreatment = "Hash"
)

// Content says what of an event a sink gets. Dead letters, and what a dead-letter sink gets by its own content, have all of it.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="self.raw == 'Drop' || !has(self.fields) || self.fields.all(f, f.as == 'Keep')",fieldPath=".raw",message="must be Drop when a field is dropped, masked or hashed: the provider's own JSON holds the field, too"
// +kubebuilder:validation:XValidation:rule="has(self.hashKeyRef) || !has(self.fields) || !self.fields.exists(f, f.as == 'Hash')",fieldPath=".hashKeyRef",reason=FieldValueRequired,message="must be set when a field is hashed"
type Content struct {
	// raw is Keep, or Drop: then events go without the provider's own JSON.
	// +optional
	// +kubebuilder:default=Keep
	Raw RawContent `json:"raw,omitempty"`
	// fields say what becomes of fields of the record; those that are not named are kept. What is made of a field follows it: the
	// attributes subject, partitionkey and providerevent. Addresses and IP addresses that are not kept are taken out of all other texts
	// as well.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Fields []ContentField `json:"fields,omitempty"`
	// hashKeyRef names the key of what is hashed, of at least 16 bytes. The same text has the same hash for as long as the key is the same.
	// +optional
	HashKeyRef *SecretKeyReference `json:"hashKeyRef,omitempty"`
}

// ContentField says what becomes of one field.
// +kubebuilder:validation:XValidation:rule="self.as in ['Keep', 'Drop'] || !(self.name in ['bounce', 'bounce.type', 'client', 'complaint', 'late', 'mail', 'mail.attachments', 'mail.attachments.size', 'mail.authentication', 'mail.cc', 'mail.date', 'mail.envelope', 'mail.from', 'mail.replyTo', 'mail.spam', 'mail.to', 'reject', 'reject.reason', 'smtpCode', 'timeImplausible', 'timeZoneAssumed', 'truncated'])",fieldPath=".as",message="must be Keep or Drop for a field that is no free text"
type ContentField struct {
	// name is the name of a field of the record, as in the schema of events, such as recipient, client.name, metadata.order_id, or
	// metadata.* for all members that are not named themselves.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^(account|bounce|bounce[.]category|bounce[.]type|client|client[.]name|client[.]os|complaint|complaint[.]feedbackType|correlationId|diagnostic|enhancedCode|ip|late|mail|mail[.](attachments|authentication|cc|envelope|from|replyTo|spam|to)|mail[.](autoSubmitted|date|html|inReplyTo|references|text)|mail[.]attachments[.](contentId|id|mediaType|name|sha256|size|url)|mail[.]authentication[.](dkim|dmarc|spf)|mail[.](cc|from|replyTo|to)[.](address|name)|mail[.]envelope[.](from|to)|mail[.]spam[.](score|verdict|virus)|messageId|providerEvent|providerEventId|providerMessageId|reason|recipient|recipients|reject|reject[.]reason|sender|smtpCode|subject|tags|timeImplausible|timeRaw|timeZoneAssumed|truncated|url|userAgent|(details|metadata)[.].+)$')",message="must be a field of the record, such as recipient, or a member of a map: metadata.order_id, or metadata.* for all; what identifies an event cannot be named, and raw is a member of content"
	Name string `json:"name,omitempty"`
	// as is Keep; Drop: it is not sent; Mask: of an address its first letter and its domain are sent, of an IP address its network, of
	// other texts nothing; or Hash: the HMAC-SHA256 of the text is sent, in hexadecimal.
	// +required
	As FieldTreatment `json:"as,omitempty"`
}
