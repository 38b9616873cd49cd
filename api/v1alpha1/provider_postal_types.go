package v1alpha1

// PostalProvider holds the settings of a webhook or an HTTP endpoint of Postal 3. The key that signs is that of the whole installation,
// so whoever has a mail server there can have events signed: in an installation with other tenants, set a path token as well.
// +kubebuilder:validation:XValidation:rule="has(self.publicKeys) || has(self.jwksURL)",fieldPath=".jwksURL",reason=FieldValueRequired,message="must be set unless publicKeys is"
type PostalProvider struct {
	// publicKeys are keys of the installation that are known beforehand, for receivers that may not fetch them.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	PublicKeys []PostalPublicKey `json:"publicKeys,omitempty"`
	// jwksURL is where keys that are not in publicKeys are fetched from: https://<host of Postal's web interface>/.well-known/jwks.json.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https://[^/?#@]+([/?#].*)?$')",message="must be an absolute https URL without user name and password"
	JWKSURL string `json:"jwksURL,omitempty"`
}

// PostalPublicKey is a public key of an installation of Postal.
type PostalPublicKey struct {
	// id is the key's id, the "kid" of the key set, which comes as X-Postal-Signature-KID: 64 hexadecimal digits.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
	// key is the RSA public key: the base64 of its SubjectPublicKeyInfo, or that in PEM. The DKIM record of the return path has it as "p".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Key string `json:"key,omitempty"`
}
