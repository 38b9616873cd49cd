package v1alpha1

// RedisMode says what stands behind the addresses.
// +kubebuilder:validation:Enum=Standalone;Sentinel;Cluster
type RedisMode string

// The values of mode.
const (
	RedisModeStandalone RedisMode = "Standalone"
	RedisModeSentinel   RedisMode = "Sentinel"
	RedisModeCluster    RedisMode = "Cluster"
)

// RedisTLSMode says whether connections are encrypted.
// +kubebuilder:validation:Enum=Verify;Disable
type RedisTLSMode string

// The values of tlsMode.
const (
	RedisTLSModeVerify  RedisTLSMode = "Verify"
	RedisTLSModeDisable RedisTLSMode = "Disable"
)

// RedisSink adds events to streams of Redis, or of a server that speaks its protocol, one entry for each event.
// +kubebuilder:validation:XValidation:rule="!has(self.basicRef) || !has(self.passwordRef)",message="at most one of basicRef and passwordRef may be set"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Sentinel') == has(self.masterName)",fieldPath=".masterName",message="must be set when mode is Sentinel, and only then"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Cluster' || !has(self.database)",fieldPath=".database",reason=FieldValueForbidden,message="must not be set when mode is Cluster"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Standalone' || self.addresses.size() == 1",fieldPath=".addresses",message="must be one when mode is Standalone"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type RedisSink struct {
	// addresses are the server, the sentinels, or some servers of the cluster, each with its port, such as redis.cache.svc:6379.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Addresses []RedisAddress `json:"addresses,omitempty"`
	// mode is Standalone: one server; Sentinel: sentinels say which server is the master; or Cluster.
	// +optional
	// +kubebuilder:default=Standalone
	Mode RedisMode `json:"mode,omitempty"`
	// masterName is the name by which sentinels know the master.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._-]+$`
	MasterName string `json:"masterName,omitempty"`
	// database is the number of the database; 0 unless set.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Database int32 `json:"database,omitempty"`
	// stream is the key of the stream of an event: a text that may hold {type}, {provider}, {namespace} and {endpoint}, such as
	// mail:{type}.
	// +optional
	// +kubebuilder:default="mailvane"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9_.:/-]|\{(type|provider|namespace|endpoint)\})+$`
	Stream string `json:"stream,omitempty"`
	// maxLength is about how many entries a stream keeps: the oldest go, whether somebody has read them or not. All are kept unless set.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=9007199254740991
	MaxLength int64 `json:"maxLength,omitempty"`
	// basicRef names a Secret with a user's name and password.
	// +optional
	BasicRef *BasicSecretReference `json:"basicRef,omitempty"`
	// passwordRef names the password of the default user.
	// +optional
	PasswordRef *SecretKeyReference `json:"passwordRef,omitempty"`
	// tlsMode is Verify: connections are encrypted, and the server's certificate is verified; or Disable: they are not.
	// +optional
	// +kubebuilder:default=Verify
	TLSMode RedisTLSMode `json:"tlsMode,omitempty"`
	// tls holds certificates for servers that have one of a private authority, or ask for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// RedisAddress is the name or address of a server with its port. An IPv6 address is between brackets.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=260
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$`
type RedisAddress string
