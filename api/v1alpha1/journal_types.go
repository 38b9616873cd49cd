package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// JournalType says where the events of a receiver are kept.
// +kubebuilder:validation:Enum=Embedded;JetStream
type JournalType string

// The values of journal.type.
const (
	JournalEmbedded  JournalType = "Embedded"
	JournalJetStream JournalType = "JetStream"
)

// Persistence says what the embedded journal is on.
// +kubebuilder:validation:Enum=Ephemeral;PersistentVolumeClaim
type Persistence string

// The values of journal.embedded.persistence.
const (
	PersistenceEphemeral Persistence = "Ephemeral"
	PersistenceClaim     Persistence = "PersistentVolumeClaim"
)

// Journal says where events are kept until every sink has them. What waits in one journal does not move to another one.
// +kubebuilder:validation:XValidation:rule="self.type == 'Embedded' || !has(self.embedded)",fieldPath=".embedded",reason=FieldValueForbidden,message="must not be set unless type is Embedded"
// +kubebuilder:validation:XValidation:rule="self.type != 'JetStream' || has(self.jetStream)",fieldPath=".jetStream",reason=FieldValueRequired,message="must be set when type is JetStream"
// +kubebuilder:validation:XValidation:rule="self.type == 'JetStream' || !has(self.jetStream)",fieldPath=".jetStream",reason=FieldValueForbidden,message="must not be set unless type is JetStream"
type Journal struct {
	// type is Embedded: each pod keeps its events on a disk of its own; or JetStream: all pods keep them in streams of a NATS
	// cluster, and need no disk.
	// +required
	// +unionDiscriminator
	Type JournalType `json:"type,omitempty"`
	// embedded holds the settings of type Embedded.
	// +optional
	// +unionMember
	Embedded *EmbeddedJournal `json:"embedded,omitempty"`
	// jetStream holds the settings of type JetStream.
	// +optional
	// +unionMember
	JetStream *JetStreamJournal `json:"jetStream,omitempty"`
}

// EmbeddedJournal keeps the events of each pod on a disk of its own.
// +kubebuilder:validation:XValidation:rule="!has(self.storageClassName) || self.persistence == 'PersistentVolumeClaim'",fieldPath=".storageClassName",reason=FieldValueForbidden,message="must not be set unless persistence is PersistentVolumeClaim"
// +kubebuilder:validation:XValidation:rule="self.persistence != 'PersistentVolumeClaim' || oldSelf.persistence != 'PersistentVolumeClaim' || !isQuantity(string(self.size)) || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) == 0",fieldPath=".size",message="must not be changed: the claims are there already; create another WebhookEndpoint, or resize the claims themselves and leave this as it is"
// +kubebuilder:validation:XValidation:rule="self.persistence != 'PersistentVolumeClaim' || oldSelf.persistence != 'PersistentVolumeClaim' || (has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName))",fieldPath=".storageClassName",message="must not be changed: the claims are there already; create another WebhookEndpoint"
type EmbeddedJournal struct {
	// persistence is Ephemeral: the disk of the node, which goes with the pod, so that a pod that is asked to stop hands what it
	// holds to the sinks or to another pod; or PersistentVolumeClaim: a volume that stays when the pod goes, and also when the
	// receiver goes.
	// +optional
	// +kubebuilder:default=Ephemeral
	Persistence Persistence `json:"persistence,omitempty"`
	// size is the size of each volume or, with persistence Ephemeral, what a pod may take of its node's disk, between 1Gi and
	// 64Ti. The journal takes 85 % of it and then answers 503.
	// +optional
	// +kubebuilder:default="10Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('1Gi')) >= 0 && quantity(string(self)).compareTo(quantity('64Ti')) <= 0)",message="must be between 1Gi and 64Ti"
	Size resource.Quantity `json:"size,omitzero"`
	// storageClassName names the StorageClass of the volumes; the cluster's default unless set.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	StorageClassName string `json:"storageClassName,omitempty"`
}

// JetStreamJournal keeps events in streams of a NATS cluster.
// +kubebuilder:validation:XValidation:rule="has(self.stream) == has(oldSelf.stream) && (!has(self.stream) || self.stream == oldSelf.stream)",fieldPath=".stream",message="must not be changed: nobody would deliver what waits in the old streams; create another WebhookEndpoint"
type JetStreamJournal struct {
	// urls are the servers of the NATS cluster, for example nats://nats.nats.svc:4222. Credentials do not belong here.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	URLs []NATSURL `json:"urls,omitempty"`
	// stream is the beginning of the names of the receiver's streams, which no other receiver may use. The default is
	// <namespace>_<name of the receiver>; set it where several Kubernetes clusters share one NATS account.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	Stream string `json:"stream,omitempty"`
	// replicas is the number of servers that keep each event: 1, 3 or 5. An event is answered 200 when most of them have it.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Enum=1;3;5
	Replicas int32 `json:"replicas,omitempty"`
	// credentialsRef names the key of a Secret that holds a NATS credentials file, as nsc and the NATS operator make it. It may be
	// replaced at any time.
	// +optional
	CredentialsRef *SecretKeyReference `json:"credentialsRef,omitempty"`
	// tls holds certificates for connections with TLS.
	// +optional
	TLS JetStreamTLS `json:"tls,omitzero"`
}

// NATSURL is the address of one NATS server.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^(nats|tls)://[A-Za-z0-9.:\[\]-]+$`
type NATSURL string

// JetStreamTLS holds certificates for connections with TLS.
// +kubebuilder:validation:MinProperties=1
type JetStreamTLS struct {
	// caRef names the key of a Secret that holds the certificates, in PEM, of the authorities that the servers' certificates are
	// from; those that the image brings unless set.
	// +optional
	CARef *SecretKeyReference `json:"caRef,omitempty"`
	// secretRef names a Secret of type kubernetes.io/tls, with the keys tls.crt and tls.key, by which receivers show who they are.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
}
