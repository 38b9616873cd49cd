package v1alpha1

// SinkTLS holds certificates for the connections of a sink with TLS. Secrets may be replaced at any time.
// +kubebuilder:validation:MinProperties=1
type SinkTLS struct {
	// caRefs name the keys of Secrets that hold the certificates, in PEM, of the authorities that the destination's certificate may
	// be from; those that the image brings unless set. Several during a change of the authority.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	CARefs []CertificateReference `json:"caRefs,omitempty"`
	// secretRef names a Secret of type kubernetes.io/tls, with the keys tls.crt and tls.key, by which the sink shows who it is.
	// +optional
	SecretRef *TLSSecretReference `json:"secretRef,omitempty"`
	// serverName is the name that the destination's certificate must have; that of its address unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	ServerName string `json:"serverName,omitempty"`
}
