package render_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
)

// TestBodiesAreHeldAgainstTheMemory: a pod that is killed for want of memory is killed again by the provider's retry.
func TestBodiesAreHeldAgainstTheMemory(t *testing.T) {
	t.Parallel()
	for reason, tc := range map[string]struct {
		body  string
		limit int64
		say   string
	}{
		"the defaults of both":           {"10Mi", 1 << 30, ""},
		"the largest body that there is": {"100Mi", 1 << 30, ""},
		"a small pod":                    {"50Mi", 128 << 20, "a body of 50Mi may take more memory than the receiver's pods have, 128Mi; set resources.limits.memory of the receiver to 500Mi or more, or maxBodySize to 12Mi or less"},
		"just too much":                  {"13Mi", 128 << 20, "maxBodySize to 12Mi or less"},
		"just enough":                    {"12Mi", 128 << 20, ""},
		"no limit":                       {"100Mi", 0, ""},
	} {
		data := good()
		in := secretInput(data, "Opaque")
		in.Endpoints[0].Spec.MaxBodySize = resource.MustParse(tc.body)
		in.MemoryLimit = func(*v1alpha1.WebhookEndpoint) int64 { return tc.limit }
		c, problems := render.Render(in)
		if tc.say == "" && len(problems) > 0 || tc.say != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, tc.say) || !problems[0].Warning) {
			t.Errorf("%s: %v", reason, problems)
		}
		if c.Endpoints[0].State == "Unavailable" {
			t.Errorf("%s: the endpoint does not work", reason)
		}
	}
}
