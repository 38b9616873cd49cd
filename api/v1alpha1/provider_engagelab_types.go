package v1alpha1

// EngageLabSignatureAlgorithm names how EngageLab computes its signature.
// +kubebuilder:validation:Enum=Auto;HMACSHA256;HMACSHA256ITime;MD5
type EngageLabSignatureAlgorithm string

// The algorithms that EngageLab's pages describe.
const (
	EngageLabAuto            EngageLabSignatureAlgorithm = "Auto"
	EngageLabHMACSHA256      EngageLabSignatureAlgorithm = "HMACSHA256"
	EngageLabHMACSHA256ITime EngageLabSignatureAlgorithm = "HMACSHA256ITime"
	EngageLabMD5             EngageLabSignatureAlgorithm = "MD5"
)

// BodyIntegrity says what vouches for a body that a provider does not sign.
// +kubebuilder:validation:Enum=None
type BodyIntegrity string

// BodyIntegrityNone says that nothing does, and that this is known.
const BodyIntegrityNone BodyIntegrity = "None"

// EngageLabProvider holds the settings of an EngageLab Email webhook. EngageLab's signature covers a timestamp and not the
// body: whoever has seen one request can sign any other, so spec.authentication must set a further factor.
type EngageLabProvider struct {
	// appKeyRefs name the APP KEYs that are valid now; several during a rotation.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	AppKeyRefs []SecretKeyReference `json:"appKeyRefs,omitempty"`
	// signatureAlgorithm is HMACSHA256 or MD5, which EngageLab's pages both describe, HMACSHA256ITime, where the signed time is
	// the body's itime, or Auto, which tells HMACSHA256 and MD5 apart by the length of the signature. Pin it once you know
	// which one your account gets.
	// +optional
	// +kubebuilder:default=Auto
	SignatureAlgorithm EngageLabSignatureAlgorithm `json:"signatureAlgorithm,omitempty"`
	// bodyIntegrity set to None lets spec.authentication be left out. Then whoever has seen one request of EngageLab, for example in
	// a log, can forge bounces, complaints and unsubscriptions for as long as toleranceSeconds lets him.
	// +optional
	BodyIntegrity BodyIntegrity `json:"bodyIntegrity,omitempty"`
	// toleranceSeconds is how far the signed timestamp may lie from now; 0 means that it is not checked. The default is a day, as long as
	// a repeated event is recognised: it bounds the life of headers that somebody has seen. EngageLab does not say whether a retry keeps
	// its timestamp, so a small value may refuse retries.
	// +optional
	// +kubebuilder:default=86400
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2678400
	ToleranceSeconds *int32 `json:"toleranceSeconds,omitempty"`
}
