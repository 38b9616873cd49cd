package v1alpha1

// SuppressionSink keeps a list of addresses that should get no more mail: of hard bounces, complaints and unsubscriptions, of all providers.
// +kubebuilder:validation:XValidation:rule="has(self.postgreSQL) != has(self.redis)",message="exactly one of postgreSQL and redis must be set"
type SuppressionSink struct {
	// postgreSQL keeps the list in a table.
	// +optional
	PostgreSQL *SuppressionPostgreSQL `json:"postgreSQL,omitempty"`
	// redis keeps the list in hashes, one for each address.
	// +optional
	Redis *SuppressionRedis `json:"redis,omitempty"`
}

// SuppressionPostgreSQL is a table of PostgreSQL.
// +kubebuilder:validation:XValidation:rule="has(self.basicRef) != has(self.username)",message="exactly one of basicRef and username must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type SuppressionPostgreSQL struct {
	// hosts are the servers, each with its port unless that is 5432. Several are tried in turn until one takes writes.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Hosts []PostgreSQLHost `json:"hosts,omitempty"`
	// database is the name of the database.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`
	Database string `json:"database,omitempty"`
	// table is the name of the table, with that of its schema unless it is found without.
	// +optional
	// +kubebuilder:default="mailvane_suppressions"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	// +kubebuilder:validation:Pattern=`^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$`
	Table string `json:"table,omitempty"`
	// createTable is IfMissing: the sink makes the table when it is not there; or Never. A table that is there is never changed.
	// +optional
	// +kubebuilder:default=Never
	CreateTable PostgreSQLCreateTable `json:"createTable,omitempty"`
	// basicRef names a Secret with the user's name and password.
	// +optional
	BasicRef *BasicSecretReference `json:"basicRef,omitempty"`
	// username is the name of a user that needs no password, as one that a client certificate shows.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Username string `json:"username,omitempty"`
	// tlsMode is Verify: connections are encrypted, and the server's certificate is verified; or Disable: they are not.
	// +optional
	// +kubebuilder:default=Verify
	TLSMode PostgreSQLTLSMode `json:"tlsMode,omitempty"`
	// tls holds certificates for servers that have one of a private authority, or ask for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// SuppressionRedis is keys of Redis with one prefix.
// +kubebuilder:validation:XValidation:rule="!has(self.basicRef) || !has(self.passwordRef)",message="at most one of basicRef and passwordRef may be set"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Sentinel') == has(self.masterName)",fieldPath=".masterName",message="must be set when mode is Sentinel, and only then"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Cluster' || !has(self.database)",fieldPath=".database",reason=FieldValueForbidden,message="must not be set when mode is Cluster"
// +kubebuilder:validation:XValidation:rule="self.mode != 'Standalone' || self.addresses.size() == 1",fieldPath=".addresses",message="must be one when mode is Standalone"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type SuppressionRedis struct {
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
	// keyPrefix is how the keys of the list begin; the address follows.
	// +optional
	// +kubebuilder:default="mailvane:suppression:"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:/{}-]+$`
	KeyPrefix string `json:"keyPrefix,omitempty"`
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
