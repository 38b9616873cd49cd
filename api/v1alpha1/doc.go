// Package v1alpha1 is the API of Mailvane: the WebhookEndpoint, which says which email provider posts where and with which
// credentials, and the EventSink, which says where the events go.
//
// What can be said of one object alone is checked at admission, by the schema and by CEL rules in the markers below.
// What needs other objects (a sink, a Secret) is reported in conditions.
//
// +kubebuilder:object:generate=true
// +groupName=mailvane.dev
package v1alpha1
