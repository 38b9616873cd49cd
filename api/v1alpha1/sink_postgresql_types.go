package v1alpha1

// PostgreSQLCreateTable says whether a sink makes its table.
// +kubebuilder:validation:Enum=Never;IfMissing
type PostgreSQLCreateTable string

// The values of createTable.
const (
	PostgreSQLCreateTableNever     PostgreSQLCreateTable = "Never"
	PostgreSQLCreateTableIfMissing PostgreSQLCreateTable = "IfMissing"
)

// PostgreSQLTLSMode says whether connections are encrypted.
// +kubebuilder:validation:Enum=Verify;Disable
type PostgreSQLTLSMode string

// The values of tlsMode.
const (
	PostgreSQLTLSModeVerify  PostgreSQLTLSMode = "Verify"
	PostgreSQLTLSModeDisable PostgreSQLTLSMode = "Disable"
)

// PostgreSQLSink inserts events into a table, one row for each event.
// +kubebuilder:validation:XValidation:rule="has(self.basicRef) != has(self.username)",message="exactly one of basicRef and username must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.tlsMode != 'Disable'",fieldPath=".tls",reason=FieldValueForbidden,message="must not be set when tlsMode is Disable"
type PostgreSQLSink struct {
	// hosts are the servers, each with its port unless that is 5432. Several are tried in turn until one takes writes, as those of a
	// primary and its standbys.
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
	// +kubebuilder:default="mailvane_events"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	// +kubebuilder:validation:Pattern=`^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$`
	Table string `json:"table,omitempty"`
	// createTable is IfMissing: the sink makes the table, with its indexes, when it is not there; or Never. A table that is there is
	// never changed.
	// +optional
	// +kubebuilder:default=Never
	CreateTable PostgreSQLCreateTable `json:"createTable,omitempty"`
	// basicRef names a Secret with the user's name and password, such as the one that an operator of PostgreSQL makes for an application.
	// +optional
	BasicRef *BasicSecretReference `json:"basicRef,omitempty"`
	// username is the name of a user that needs no password, as one that a client certificate shows.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Username string `json:"username,omitempty"`
	// maxConnections is how many connections a pod of the receiver has at most.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	MaxConnections int32 `json:"maxConnections,omitempty"`
	// tlsMode is Verify: connections are encrypted, and the server's certificate is verified; or Disable: they are not.
	// +optional
	// +kubebuilder:default=Verify
	TLSMode PostgreSQLTLSMode `json:"tlsMode,omitempty"`
	// tls holds certificates for servers that have one of a private authority, or ask for one.
	// +optional
	TLS SinkTLS `json:"tls,omitzero"`
}

// PostgreSQLHost is the name or address of a server, and its port unless that is 5432. An IPv6 address is between brackets.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=260
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?$`
type PostgreSQLHost string
