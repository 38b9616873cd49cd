package v1alpha1

// Authentication lists the factors that a request must show beside the provider's signature. All that are set must pass.
// +kubebuilder:validation:MinProperties=1
type Authentication struct {
	// pathToken requires a secret as one further segment at the end of the path.
	// +optional
	PathToken PathTokenFactor `json:"pathToken,omitzero"`
	// basic requires HTTP basic authentication. Several providers take it from a user name and password in the URL.
	// +optional
	Basic BasicFactor `json:"basic,omitzero"`
	// header requires a secret in a header that the provider is told to add.
	// +optional
	Header HeaderFactor `json:"header,omitzero"`
	// oidc requires a token of an OpenID provider in the header Authorization, as Google Pub/Sub and Azure Event Grid send it.
	// +optional
	OIDC OIDCFactor `json:"oidc,omitzero"`
	// allowedCIDRs requires that the client's address lies in one of these ranges, for example 203.0.113.0/24 or 2001:db8::/32.
	// Behind an Ingress or a Gateway, trustedProxies of the receiver must say which proxies tell that address. Where nothing else
	// authenticates requests, ranges shorter than /8, of IPv6 /32, are no factor.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	AllowedCIDRs []CIDR `json:"allowedCIDRs,omitempty"`
}

// CIDR is a range of IP addresses in CIDR notation.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be a range of addresses such as 203.0.113.0/24 or 2001:db8::/32"
type CIDR string

// PathTokenFactor is a secret at the end of the URL.
type PathTokenFactor struct {
	// secretRefs name the tokens that are valid now, of 16 bytes or more; several during a rotation.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SecretRefs []SecretKeyReference `json:"secretRefs,omitempty"`
}

// BasicFactor is HTTP basic authentication (RFC 7617).
type BasicFactor struct {
	// secretRefs name Secrets with the keys username and password that are valid now, passwords of 12 bytes or more; several during a
	// rotation.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SecretRefs []BasicSecretReference `json:"secretRefs,omitempty"`
}

// HeaderFactor is a secret in a header.
type HeaderFactor struct {
	// name is the name of the header, for example X-Api-Key. For "Authorization: Bearer ..." the secret is the whole value.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`
	Name string `json:"name,omitempty"`
	// secretRefs name the values that are valid now, of 16 bytes or more; several during a rotation.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	SecretRefs []SecretKeyReference `json:"secretRefs,omitempty"`
}

// OIDCFactor is a JSON Web Token (RFC 7519) that an OpenID provider has signed, sent as "Authorization: Bearer".
type OIDCFactor struct {
	// issuer is the provider: what the token's "iss" must be, and below what its keys are found by OpenID Connect Discovery, for example
	// https://accounts.google.com. Receivers must be able to reach it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https'",message="must be an https URL"
	Issuer string `json:"issuer,omitempty"`
	// audiences are what the token's "aud" may be; the sender is told one of them.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Audiences []string `json:"audiences,omitempty"`
	// subjects are what the token's "sub" may be, or its "email" where the provider has verified that, such as the name of a service
	// account. An issuer that serves everybody makes tokens for everybody: name who may post here.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	Subjects []string `json:"subjects,omitempty"`
}
