package render_test

import (
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/catalogue"
)

// TestOnlyWhoReadsTheURLIsToldOfIt exposes an endpoint of each provider. Receivers of an earlier release refuse a configuration with a word
// that they do not know, so it is not there for nothing.
func TestOnlyWhoReadsTheURLIsToldOfIt(t *testing.T) {
	t.Parallel()
	for _, p := range catalogue.Providers() {
		c, _ := render.Render(render.Input{Endpoints: []v1alpha1.WebhookEndpoint{{Spec: v1alpha1.WebhookEndpointSpec{
			Provider: v1alpha1.Provider{Type: v1alpha1.ProviderType(p.Type)},
			Exposure: &v1alpha1.Exposure{Host: "hooks.example.com", Ingress: &v1alpha1.IngressExposure{TLSSecretName: "tls"}},
		}}}})
		want := ""
		if p.ReadsURL {
			want = "https://hooks.example.com"
		}
		if got := c.Endpoints[0].PublicURL; got != want {
			t.Errorf("%s: %q, want %q", p.Type, got, want)
		}
	}
}
