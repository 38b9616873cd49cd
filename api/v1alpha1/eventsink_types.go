package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EventSinkSpec is what is asked of a sink: exactly the member that type names is set.
// +mailvane:catalogue:begin=rules
// +kubebuilder:validation:XValidation:rule="self.type != 'HTTP' || has(self.http)",fieldPath=".http",reason=FieldValueRequired,message="must be set when type is HTTP"
// +kubebuilder:validation:XValidation:rule="self.type == 'HTTP' || !has(self.http)",fieldPath=".http",reason=FieldValueForbidden,message="must not be set unless type is HTTP"
// +kubebuilder:validation:XValidation:rule="self.type != 'Kafka' || has(self.kafka)",fieldPath=".kafka",reason=FieldValueRequired,message="must be set when type is Kafka"
// +kubebuilder:validation:XValidation:rule="self.type == 'Kafka' || !has(self.kafka)",fieldPath=".kafka",reason=FieldValueForbidden,message="must not be set unless type is Kafka"
// +kubebuilder:validation:XValidation:rule="self.type != 'NATS' || has(self.nats)",fieldPath=".nats",reason=FieldValueRequired,message="must be set when type is NATS"
// +kubebuilder:validation:XValidation:rule="self.type == 'NATS' || !has(self.nats)",fieldPath=".nats",reason=FieldValueForbidden,message="must not be set unless type is NATS"
// +kubebuilder:validation:XValidation:rule="self.type != 'PostgreSQL' || has(self.postgreSQL)",fieldPath=".postgreSQL",reason=FieldValueRequired,message="must be set when type is PostgreSQL"
// +kubebuilder:validation:XValidation:rule="self.type == 'PostgreSQL' || !has(self.postgreSQL)",fieldPath=".postgreSQL",reason=FieldValueForbidden,message="must not be set unless type is PostgreSQL"
// +kubebuilder:validation:XValidation:rule="self.type != 'RabbitMQ' || has(self.rabbitMQ)",fieldPath=".rabbitMQ",reason=FieldValueRequired,message="must be set when type is RabbitMQ"
// +kubebuilder:validation:XValidation:rule="self.type == 'RabbitMQ' || !has(self.rabbitMQ)",fieldPath=".rabbitMQ",reason=FieldValueForbidden,message="must not be set unless type is RabbitMQ"
// +kubebuilder:validation:XValidation:rule="self.type != 'Redis' || has(self.redis)",fieldPath=".redis",reason=FieldValueRequired,message="must be set when type is Redis"
// +kubebuilder:validation:XValidation:rule="self.type == 'Redis' || !has(self.redis)",fieldPath=".redis",reason=FieldValueForbidden,message="must not be set unless type is Redis"
// +kubebuilder:validation:XValidation:rule="self.type != 'S3' || has(self.s3)",fieldPath=".s3",reason=FieldValueRequired,message="must be set when type is S3"
// +kubebuilder:validation:XValidation:rule="self.type == 'S3' || !has(self.s3)",fieldPath=".s3",reason=FieldValueForbidden,message="must not be set unless type is S3"
// +kubebuilder:validation:XValidation:rule="self.type != 'SQS' || has(self.sqs)",fieldPath=".sqs",reason=FieldValueRequired,message="must be set when type is SQS"
// +kubebuilder:validation:XValidation:rule="self.type == 'SQS' || !has(self.sqs)",fieldPath=".sqs",reason=FieldValueForbidden,message="must not be set unless type is SQS"
// +kubebuilder:validation:XValidation:rule="self.type != 'SNS' || has(self.sns)",fieldPath=".sns",reason=FieldValueRequired,message="must be set when type is SNS"
// +kubebuilder:validation:XValidation:rule="self.type == 'SNS' || !has(self.sns)",fieldPath=".sns",reason=FieldValueForbidden,message="must not be set unless type is SNS"
// +kubebuilder:validation:XValidation:rule="self.type != 'EventBridge' || has(self.eventBridge)",fieldPath=".eventBridge",reason=FieldValueRequired,message="must be set when type is EventBridge"
// +kubebuilder:validation:XValidation:rule="self.type == 'EventBridge' || !has(self.eventBridge)",fieldPath=".eventBridge",reason=FieldValueForbidden,message="must not be set unless type is EventBridge"
// +kubebuilder:validation:XValidation:rule="self.type != 'PubSub' || has(self.pubSub)",fieldPath=".pubSub",reason=FieldValueRequired,message="must be set when type is PubSub"
// +kubebuilder:validation:XValidation:rule="self.type == 'PubSub' || !has(self.pubSub)",fieldPath=".pubSub",reason=FieldValueForbidden,message="must not be set unless type is PubSub"
// +kubebuilder:validation:XValidation:rule="self.type != 'Suppression' || has(self.suppression)",fieldPath=".suppression",reason=FieldValueRequired,message="must be set when type is Suppression"
// +kubebuilder:validation:XValidation:rule="self.type == 'Suppression' || !has(self.suppression)",fieldPath=".suppression",reason=FieldValueForbidden,message="must not be set unless type is Suppression"
// +kubebuilder:validation:XValidation:rule="self.type == 'Stdout' || !has(self.stdout)",fieldPath=".stdout",reason=FieldValueForbidden,message="must not be set unless type is Stdout"
// +kubebuilder:validation:XValidation:rule="self.type != 'File' || has(self.file)",fieldPath=".file",reason=FieldValueRequired,message="must be set when type is File"
// +kubebuilder:validation:XValidation:rule="self.type == 'File' || !has(self.file)",fieldPath=".file",reason=FieldValueForbidden,message="must not be set unless type is File"
// +mailvane:catalogue:end=rules
// +kubebuilder:validation:XValidation:rule="!has(self.http) || !has(self.http.body) || self.http.body.type != 'Raw' || !has(self.content) || self.content.raw != 'Drop'",fieldPath=".content.raw",message="must be Keep when http.body.type is Raw: what the provider sent is all that is sent"
// +kubebuilder:validation:XValidation:rule="self.type != 'Suppression' || !has(self.content)",fieldPath=".content",reason=FieldValueForbidden,message="must not be set when type is Suppression: it keeps the address of an event, which content would change, and hardly more"
type EventSinkSpec struct {
	// type names the kind of destination. It must not be changed: what is still owed to a sink cannot move to another kind.
	// +required
	// +unionDiscriminator
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="must not be changed; create another EventSink"
	Type SinkType `json:"type,omitempty"`

	// +mailvane:catalogue:begin=members

	// http holds the settings of type HTTP.
	// +optional
	// +unionMember
	HTTP *HTTPSink `json:"http,omitempty"`
	// kafka holds the settings of type Kafka.
	// +optional
	// +unionMember
	Kafka *KafkaSink `json:"kafka,omitempty"`
	// nats holds the settings of type NATS.
	// +optional
	// +unionMember
	NATS *NATSSink `json:"nats,omitempty"`
	// postgreSQL holds the settings of type PostgreSQL.
	// +optional
	// +unionMember
	PostgreSQL *PostgreSQLSink `json:"postgreSQL,omitempty"`
	// rabbitMQ holds the settings of type RabbitMQ.
	// +optional
	// +unionMember
	RabbitMQ *RabbitMQSink `json:"rabbitMQ,omitempty"`
	// redis holds the settings of type Redis.
	// +optional
	// +unionMember
	Redis *RedisSink `json:"redis,omitempty"`
	// s3 holds the settings of type S3.
	// +optional
	// +unionMember
	S3 *S3Sink `json:"s3,omitempty"`
	// sqs holds the settings of type SQS.
	// +optional
	// +unionMember
	SQS *SQSSink `json:"sqs,omitempty"`
	// sns holds the settings of type SNS.
	// +optional
	// +unionMember
	SNS *SNSSink `json:"sns,omitempty"`
	// eventBridge holds the settings of type EventBridge.
	// +optional
	// +unionMember
	EventBridge *EventBridgeSink `json:"eventBridge,omitempty"`
	// pubSub holds the settings of type PubSub.
	// +optional
	// +unionMember
	PubSub *PubSubSink `json:"pubSub,omitempty"`
	// suppression holds the settings of type Suppression.
	// +optional
	// +unionMember
	Suppression *SuppressionSink `json:"suppression,omitempty"`
	// stdout may be set, to {}, for type Stdout, which has no settings.
	// +optional
	// +unionMember
	Stdout *StdoutSink `json:"stdout,omitempty"`
	// file holds the settings of type File.
	// +optional
	// +unionMember
	File *FileSink `json:"file,omitempty"`
	// +mailvane:catalogue:end=members

	// content says what of an event the sink gets; all of it unless set.
	// +optional
	Content Content `json:"content,omitzero"`
	// delivery says how events are handed over.
	// +optional
	// +kubebuilder:default={}
	Delivery Delivery `json:"delivery,omitzero"`
}

// EventSinkStatus is what is known of a sink.
// +kubebuilder:validation:MinProperties=1
type EventSinkStatus struct {
	// conditions are Ready, ReferencesResolved, Connected and, if nothing but a change of the object helps, Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=32
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// EventSink is a destination of events.
// +kubebuilder:validation:XValidation:rule="!has(self.spec.delivery.deadLetter) || self.spec.delivery.deadLetter.sinkRef.name != self.metadata.name",fieldPath=".spec.delivery.deadLetter.sinkRef.name",message="must not name the sink itself"
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=esink,categories=mailvane
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Connected",type=string,JSONPath=`.status.conditions[?(@.type=="Connected")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EventSink struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec is what is asked of the sink.
	// +required
	Spec EventSinkSpec `json:"spec,omitzero"`
	// status is what is known of the sink.
	// +optional
	Status EventSinkStatus `json:"status,omitzero"`
}

// EventSinkList is a list of sinks.
// +kubebuilder:object:root=true
type EventSinkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []EventSink `json:"items"`
}
