package render_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
)

// TestCertificatesOfSecrets has values whose line breaks are part of them, and Secrets that lack what they should have.
func TestCertificatesOfSecrets(t *testing.T) {
	t.Parallel()
	sink := v1alpha1.EventSink{
		ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "crm"},
		Spec: v1alpha1.EventSinkSpec{Type: v1alpha1.SinkHTTP, HTTP: &v1alpha1.HTTPSink{
			URL: "https://crm.example.com",
			TLS: v1alpha1.SinkTLS{
				CARefs: []v1alpha1.CertificateReference{{Name: "ca", Key: "ca.crt"}, {Name: "old-ca", Key: "ca.crt"}}, ServerName: "crm.internal",
				SecretRef: &v1alpha1.TLSSecretReference{Name: "client"},
			},
		}},
	}
	if diff := cmp.Diff([]string{"ca", "client", "old-ca"}, render.SinkSecrets(&sink)); diff != "" {
		t.Errorf("Secrets (-want +got):\n%s", diff)
	}
	pem := func(of string) []byte { return []byte("-----BEGIN " + of + "-----\n") }
	all := map[string]map[string][]byte{
		"ca": {"ca.crt": pem("CA")}, "old-ca": {"ca.crt": pem("OLD CA")}, "client": {"tls.crt": pem("CERTIFICATE"), "tls.key": pem("KEY")},
	}
	for name, tc := range map[string]struct {
		without func(map[string]map[string][]byte)
		want    string // of the only problem
		kind    string // of all Secrets
	}{
		"all there":       {func(map[string]map[string][]byte) {}, "", "kubernetes.io/tls"},
		"a token":         {func(map[string]map[string][]byte) {}, "is not read", "kubernetes.io/service-account-token"},
		"no Secret":       {func(s map[string]map[string][]byte) { delete(s, "client") }, `Secret "client" does not exist`, ""},
		"no authority":    {func(s map[string]map[string][]byte) { s["old-ca"] = map[string][]byte{"ca.pem": nil} }, `Secret "old-ca" has no key "ca.crt"`, ""},
		"no key":          {func(s map[string]map[string][]byte) { delete(s["client"], "tls.key") }, `Secret "client" has no key "tls.key"`, ""},
		"empty authority": {func(s map[string]map[string][]byte) { s["ca"] = map[string][]byte{"ca.crt": {}} }, `Secret "ca" key "ca.crt" is empty`, ""},
	} {
		secrets := map[string]map[string][]byte{}
		for secret, data := range all {
			secrets[secret] = maps.Clone(data)
		}
		tc.without(secrets)
		config, problems := render.Render(render.Input{Sinks: []v1alpha1.EventSink{sink}, Secret: func(_, name string) (map[string][]byte, bool) {
			data, found := secrets[name]
			return data, found
		}, SecretType: func(string, string) string { return tc.kind }})
		if tc.want == "" {
			const want = `{"tls":{"cas":["-----BEGIN CA-----\n","-----BEGIN OLD CA-----\n"],` +
				`"secret":{"certificate":"-----BEGIN CERTIFICATE-----\n","key":"-----BEGIN KEY-----\n"},"serverName":"crm.internal"},"url":"https://crm.example.com"}`
			if len(problems) > 0 || len(config.Sinks) != 1 || string(config.Sinks[0].Kind.Settings) != want {
				t.Errorf("%s: %+v, problems %v", name, config.Sinks, problems)
			}
			continue
		}
		has := func(p render.Problem) bool { return strings.Contains(p.Message, tc.want) }
		if len(config.Sinks) != 0 || len(problems) == 0 || !slices.ContainsFunc(problems, has) {
			t.Errorf("%s: problems %v, want %q", name, problems, tc.want)
		}
	}
}
