package v1alpha1

// AWSAuthentication says how a sink shows who it is: by an access key, or else by web identity, as the role of the receiver's service account.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.accessKeyIDRef) == has(self.secretAccessKeyRef)",message="accessKeyIDRef and secretAccessKeyRef must be set together"
// +kubebuilder:validation:XValidation:rule="!has(self.sessionTokenRef) || has(self.accessKeyIDRef)",fieldPath=".sessionTokenRef",reason=FieldValueForbidden,message="must not be set without an access key"
type AWSAuthentication struct {
	// accessKeyIDRef names the id of an access key.
	// +optional
	AccessKeyIDRef *SecretKeyReference `json:"accessKeyIDRef,omitempty"`
	// secretAccessKeyRef names the secret of that access key.
	// +optional
	SecretAccessKeyRef *SecretKeyReference `json:"secretAccessKeyRef,omitempty"`
	// sessionTokenRef names the session token of an access key that does not last.
	// +optional
	SessionTokenRef *SecretKeyReference `json:"sessionTokenRef,omitempty"`
	// roleARN is the role that the sink takes, with its access key or with web identity; with web identity that of the receiver's service
	// account unless set.
	// +optional
	// +kubebuilder:validation:MinLength=20
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^arn:[A-Za-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`
	RoleARN string `json:"roleARN,omitempty"`
}
