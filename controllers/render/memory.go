package render

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// copiesOfBody is how many times its largest body a receiver may have to hold: as it arrives, decoded, stored and delivered, with what
// is garbage meanwhile. Measured: 7 to 10 times (docs/kubernetes.md, Large bodies).
const copiesOfBody = 10

// checkMemory warns of a body that would have the pods killed for want of memory, again at each of the provider's retries.
func (r *endpointRenderer) checkMemory(s *settingsResolver, endpoint *v1alpha1.WebhookEndpoint) {
	if r.in.MemoryLimit == nil {
		return
	}
	body, limit := endpoint.Spec.MaxBodySize.Value(), r.in.MemoryLimit(endpoint)
	if limit <= 0 || body <= limit/copiesOfBody {
		return
	}
	s.warn(Object{}, "spec.maxBodySize", "a body of %s may take more memory than the receiver's pods have, %s; set resources.limits.memory of the receiver to %s or more, or maxBodySize to %s or less",
		endpoint.Spec.MaxBodySize.String(), binary(limit), binary(body*copiesOfBody), binary(limit/copiesOfBody))
}

// binary writes a number of bytes in whole MiB where it has at least one, as manifests do.
func binary(n int64) string {
	if n >= 1<<20 {
		n = n >> 20 << 20
	}
	return resource.NewQuantity(n, resource.BinarySI).String()
}
