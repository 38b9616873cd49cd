package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The group, the version and the kinds of this API.
const (
	Group               = "mailvane.dev"
	Version             = "v1alpha1"
	WebhookEndpointKind = "WebhookEndpoint"
	EventSinkKind       = "EventSink"
)

// GroupVersion returns the group and version of the kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: Version}
}

// AddToScheme registers the kinds of this package. Its error is always nil; the signature is what scheme builders take.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion(),
		&WebhookEndpoint{}, &WebhookEndpointList{},
		&EventSink{}, &EventSinkList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion())
	return nil
}
