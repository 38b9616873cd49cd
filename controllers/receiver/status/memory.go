package status

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// ahead holds, by UID, the objects whose status was written and that the cache has not seen since.
type ahead map[types.UID]client.Object

// Refresh gives objects of a namespace the status that was written last, where the cache is behind that. A status that is computed from an
// older one would be written again.
func (p *Phase) Refresh(endpoints []v1alpha1.WebhookEndpoint, sinks []v1alpha1.EventSink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range endpoints {
		if e, ok := p.written[endpoints[i].Namespace].newer(&endpoints[i]).(*v1alpha1.WebhookEndpoint); ok {
			endpoints[i].Status = e.Status
		}
	}
	for i := range sinks {
		if s, ok := p.written[sinks[i].Namespace].newer(&sinks[i]).(*v1alpha1.EventSink); ok {
			sinks[i].Status = s.Status
		}
	}
}

// Forget drops what is known of a namespace.
func (p *Phase) Forget(namespace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.written, namespace)
}

// remember keeps an object as the API server has it.
func (p *Phase) remember(o client.Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.written == nil {
		p.written = map[string]ahead{}
	}
	if p.written[o.GetNamespace()] == nil {
		p.written[o.GetNamespace()] = ahead{}
	}
	p.written[o.GetNamespace()][o.GetUID()] = o
}

// newer returns the object as it was written last, when the cache is behind that; else nil.
func (a ahead) newer(cached client.Object) client.Object {
	written, ok := a[cached.GetUID()]
	if !ok {
		return nil
	}
	order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), written.GetResourceVersion())
	if err != nil || order >= 0 {
		delete(a, cached.GetUID())
		return nil
	}
	return written
}
