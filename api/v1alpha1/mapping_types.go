package v1alpha1

// EventMapping says in CEL what the bodies of a webhook mean. Expressions see item, which is one event of a body; body, which is what
// stands around it, with no other event in it; and headers, by their names in lower case. A member that is not there yields nothing.
type EventMapping struct {
	// items is where the events are: body, which is the default, or a member within it, such as body.events.
	// +optional
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^body(\.[A-Za-z_][A-Za-z0-9_]*)*$`
	Items string `json:"items,omitempty"`
	// type yields the provider's name of an event.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Type string `json:"type,omitempty"`
	// types are Mailvane's types by those names, such as hard_bounce: email.bounced; others are unknown.
	// +optional
	// +kubebuilder:validation:MaxProperties=128
	Types map[string]string `json:"types,omitempty"`
	// id yields what tells an event from all others, whenever it is sent, such as item.id. By default it is all that the body says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=4096
	ID []string `json:"id,omitempty"`
	// time yields when an event happened; by default it is when it came.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Time string `json:"time,omitempty"`
	// fields yield the fields of an event, such as recipient: item.email.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Fields map[string]string `json:"fields,omitempty"`
	// metadata yields an object of what the sender attached.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Metadata string `json:"metadata,omitempty"`
}
