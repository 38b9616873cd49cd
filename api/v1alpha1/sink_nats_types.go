package v1alpha1

// NATSSink publishes events to streams of NATS JetStream, one message for each event.
type NATSSink struct {
	// urls are the servers of the NATS cluster, for example nats://nats.nats.svc:4222. With tls:// a connection without TLS is refused.
	// Credentials do not belong here.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	URLs []NATSURL `json:"urls,omitempty"`
	// subject is the subject of an event: a text that may hold {type}, {provider}, {namespace} and {endpoint}, such as mail.{type}, which
	// is mail.email.bounced of a bounce. A stream must take it.
	// +optional
	// +kubebuilder:default="mailvane.{type}"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9_-]|\{(type|provider|namespace|endpoint)\})+(\.([A-Za-z0-9_-]|\{(type|provider|namespace|endpoint)\})+)*$`
	Subject string `json:"subject,omitempty"`
	// stream is the name of the stream that must take the events; any that takes the subject unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	Stream string `json:"stream,omitempty"`
	// authentication says how the sink shows who it is; a client certificate, of tls, or nothing does unless set.
	// +optional
	Authentication NATSAuthentication `json:"authentication,omitzero"`
	// tls holds certificates for connections with TLS, and refuses others.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// NATSAuthentication is one of the ways in which NATS servers tell users apart.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=1
type NATSAuthentication struct {
	// basicRef names a Secret with a user's name and password.
	// +optional
	BasicRef *BasicSecretReference `json:"basicRef,omitempty"`
	// tokenRef names a token.
	// +optional
	TokenRef *SecretKeyReference `json:"tokenRef,omitempty"`
	// nkeySeedRef names the seed of a user's NKey, which begins with SU.
	// +optional
	NKeySeedRef *SecretKeyReference `json:"nkeySeedRef,omitempty"`
	// credentialsRef names a credentials file, as nsc and the NATS operator make it.
	// +optional
	CredentialsRef *FileReference `json:"credentialsRef,omitempty"`
}
