package v1alpha1

// Exposure makes an endpoint reachable from outside of the cluster, by one Ingress or HTTPRoute that belongs to it.
// +kubebuilder:validation:XValidation:rule="has(self.ingress) != has(self.gateway)",message="must have exactly one of ingress and gateway"
type Exposure struct {
	// host is the host name that providers post to, for example hooks.example.com. Wildcards are not taken. Several endpoints may
	// share a host if their paths differ; of two with one path the one that was there first has it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!self.contains('*')",message="must not have a wildcard"
	// +kubebuilder:validation:XValidation:rule="self.contains('*') || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be a host name of lower-case letters, digits, dots and hyphens"
	Host string `json:"host,omitempty"`
	// ingress makes an Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`
	// gateway makes an HTTPRoute of the Gateway API, which must be installed in the cluster.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`
}

// IngressExposure says what the Ingress is like.
type IngressExposure struct {
	// className names the IngressClass; the cluster's default unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	ClassName string `json:"className,omitempty"`
	// tlsSecretName names the Secret, of type kubernetes.io/tls, with the certificate of the host. cert-manager makes it when an
	// annotation asks for it. Without one, the URL begins with http.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	TLSSecretName string `json:"tlsSecretName,omitempty"`
	// annotations are put on the Ingress, for its controller and for cert-manager.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GatewayExposure says what the HTTPRoute is like.
type GatewayExposure struct {
	// parentRefs name the Gateways that the route is attached to. A Gateway says itself from which namespaces it takes routes.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ParentRefs []GatewayReference `json:"parentRefs,omitempty"`
}

// GatewayReference names a Gateway, or one listener of it.
type GatewayReference struct {
	// name is the name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name,omitempty"`
	// namespace is the namespace of the Gateway; that of the endpoint unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
	// sectionName names one listener; every one that takes the host unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	SectionName string `json:"sectionName,omitempty"`
	// port is the port of the listeners; every one unless set. With port 80, the URL begins with http.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
}

// URL returns where an endpoint that is exposed is reached from outside of the cluster, without its path. A Gateway's
// listeners have the certificate, so that the URL begins with https unless all of them are on port 80.
func (e *Exposure) URL() string {
	secure := e.Ingress != nil && e.Ingress.TLSSecretName != ""
	if e.Gateway != nil {
		for _, parent := range e.Gateway.ParentRefs {
			secure = secure || parent.Port != 80
		}
	}
	if secure {
		return "https://" + e.Host
	}
	return "http://" + e.Host
}
