package v1alpha1

// EventMapping says in CEL what the bodies of a webhook mean. Expressions see item, which is one event of a body; body, which is what
// stands around it, with no other event in it; and headers, by their names in lower case. A member that is not there yields nothing.
type EventMapping struct {
	// items is where the events of a body are: body, or a member within it, such as body.events. The default is body: one event, or a list
	// of them.
	// +optional
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^body(\.[A-Za-z_][A-Za-z0-9_]*)*$`
	Items string `json:"items,omitempty"`
	// type yields the provider's name of an event, which is looked up in types in any letter case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Type string `json:"type,omitempty"`
	// types are Mailvane's types by the provider's names of events, such as hard_bounce: email.bounced. A name that is not listed is of type
	// unknown.
	// +optional
	// +kubebuilder:validation:MaxProperties=128
	Types map[string]string `json:"types,omitempty"`
	// id yields the parts that tell an event from every other one, such as item.id, and that are the same each time that it is sent. By
	// default, and for an event of which a part is not there, it is the id of the signed message, if there is one, and all that the body says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=4096
	ID []string `json:"id,omitempty"`
	// time yields when an event happened: a timestamp, a text with a date and time, or a number since 1970. By default it is the time of
	// receipt.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Time string `json:"time,omitempty"`
	// fields yield the fields of an event by their names, such as recipient: item.email or bounce.type: '"hard"'; details.NAME is a detail.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Fields map[string]string `json:"fields,omitempty"`
	// metadata yields an object of what the sender attached to the message, such as item.custom.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Metadata string `json:"metadata,omitempty"`
}
