// Package plan decides which receivers a namespace is to have, and which endpoints each serves. It is pure.
package plan

import (
	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// Receiver is a receiver that a namespace is to have.
type Receiver struct {
	children.Receiver
	// Serves names the endpoints in its configuration.
	Serves []string
	// Retiring is set when its endpoint asks for another receiver, and it serves until that one does.
	Retiring bool
}

// WorkloadKind returns the kind of what makes its pods.
func (r *Receiver) WorkloadKind() string {
	if r.HasClaims() {
		return "StatefulSet"
	}
	return "Deployment"
}

// ReceiverName returns the name of the receiver that an endpoint asks for.
func ReceiverName(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Receiver != nil {
		return children.DedicatedName(e.Name)
	}
	return children.Name
}

// Input is what the plan of a namespace depends on.
type Input struct {
	// Namespace is its name.
	Namespace string
	// Endpoints are its endpoints, with the receiver that serves each in their status.
	Endpoints []v1alpha1.WebhookEndpoint
	// KeepShared keeps the shared receiver although no endpoint uses it. As long as there are sinks, its pods may still owe them events; to
	// force its removal, delete the Secret with its configuration.
	KeepShared bool
	// Defaults say what receivers are like whose endpoint does not say it.
	Defaults v1alpha1.Receiver
	// ConfigBytes is that of [children.Options].
	ConfigBytes int
}

// Receivers returns the receivers of a namespace, the shared one first. An endpoint that moves from one to another is served by both until the
// new one does it.
func Receivers(in Input) []*Receiver {
	shared := &Receiver{Receiver: children.Receiver{Namespace: in.Namespace, Name: children.Name, ConfigBytes: in.ConfigBytes, Spec: in.Defaults}}
	paths := map[string]bool{} // of the shared receiver's own endpoints
	for i := range in.Endpoints {
		if e := &in.Endpoints[i]; e.Spec.Receiver == nil {
			shared.Serves, paths[e.Path()] = append(shared.Serves, e.Name), true
		}
	}
	var dedicated []*Receiver
	for i := range in.Endpoints {
		e := &in.Endpoints[i]
		if e.Spec.Receiver != nil || isMoving(e) {
			dedicated = append(dedicated, in.dedicated(e))
		}
		if e.Spec.Receiver != nil && isMoving(e) && !paths[e.Path()] {
			shared.Serves = append(shared.Serves, e.Name)
		}
	}
	if len(shared.Serves) > 0 || in.KeepShared {
		return append([]*Receiver{shared}, dedicated...)
	}
	return dedicated
}

// isMoving reports whether an endpoint is still served by a receiver that it does not ask for any more.
func isMoving(e *v1alpha1.WebhookEndpoint) bool {
	return e.Status.Receiver != "" && e.Status.Receiver != ReceiverName(e)
}

// dedicated returns the receiver of one endpoint, which asks for it or has asked for it until now.
func (in *Input) dedicated(e *v1alpha1.WebhookEndpoint) *Receiver {
	r := &Receiver{
		Receiver: children.Receiver{Namespace: in.Namespace, Name: children.DedicatedName(e.Name), Owner: e, ConfigBytes: in.ConfigBytes},
		Serves:   []string{e.Name}, Retiring: e.Spec.Receiver == nil,
	}
	if e.Spec.Receiver != nil {
		r.Spec = children.Inherit(in.Defaults, *e.Spec.Receiver)
	}
	return r
}

// Names returns the names of receivers.
func Names(receivers []*Receiver) []string {
	names := make([]string, len(receivers))
	for i, r := range receivers {
		names[i] = r.Name
	}
	return names
}
