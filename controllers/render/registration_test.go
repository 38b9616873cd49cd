package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

const registrationSecret = "mailvane-a-registration"

// engine returns an endpoint of EmailEngine whose webhook the manager registers.
func engine(refs ...v1alpha1.SecretKeyReference) v1alpha1.WebhookEndpoint {
	e := v1alpha1.WebhookEndpoint{Spec: v1alpha1.WebhookEndpointSpec{
		Provider:     v1alpha1.Provider{Type: v1alpha1.EmailEngine, EmailEngine: &v1alpha1.EmailEngineProvider{ServiceSecretRefs: refs}},
		Registration: &v1alpha1.Registration{APIKeyRef: v1alpha1.SecretKeyReference{Name: "api", Key: "key"}},
	}}
	e.Namespace, e.Name = "mail", "a"
	return e
}

// TestTakenKeys puts the keys that the manager keeps beside those that the author names.
func TestTakenKeys(t *testing.T) {
	t.Parallel()
	own := v1alpha1.SecretKeyReference{Name: "own", Key: "key"}
	ours := string(children.RegistrationSecretType)
	for name, tc := range map[string]struct {
		reason     string
		endpoint   v1alpha1.WebhookEndpoint
		kept       map[string][]byte
		secretType string
		want       []string
		problem    string
	}{
		"one":               {"", engine(), map[string][]byte{"key": []byte("first")}, ours, []string{"first"}, ""},
		"two":               {"the one before may still be in use", engine(), map[string][]byte{"key": []byte("second"), "previousKey": []byte("first")}, ours, []string{"second", "first"}, ""},
		"beside the author": {"his come first", engine(own), map[string][]byte{"key": []byte("first")}, ours, []string{"own value", "first"}, ""},
		"the same":          {"once is enough", engine(own), map[string][]byte{"key": []byte("own value")}, ours, []string{"own value"}, ""},
		"none yet":          {"nobody would be let in", engine(), nil, "", nil, v1alpha1.ReasonRegistrationPending},
		"an empty one":      {"the same", engine(), map[string][]byte{"key": nil}, ours, nil, v1alpha1.ReasonRegistrationPending},
		"none, with own":    {"those of the author are enough", engine(own), nil, "", []string{"own value"}, ""},
		"of somebody else":  {"its name does not make it ours", engine(), map[string][]byte{"key": []byte("stolen")}, "Opaque", nil, v1alpha1.ReasonNameTaken},
	} {
		c, problems := render.Render(render.Input{
			Endpoints: []v1alpha1.WebhookEndpoint{tc.endpoint},
			Secret: func(_, name string) (map[string][]byte, bool) {
				if name == registrationSecret {
					return tc.kept, tc.kept != nil
				}
				return map[string][]byte{"key": []byte("own value")}, name == "own"
			},
			SecretType: func(_, name string) string {
				if name == registrationSecret {
					return tc.secretType
				}
				return "Opaque"
			},
		})
		var settings struct{ ServiceSecrets []string }
		if len(c.Endpoints[0].Provider.Settings) > 0 {
			if err := json.Unmarshal(c.Endpoints[0].Provider.Settings, &settings); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(tc.want, settings.ServiceSecrets); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
		problem := ""
		if len(problems) > 0 {
			problem = problems[0].Reason
		}
		if problem != tc.problem || (problem != "") != (c.Endpoints[0].State == config.Unavailable) {
			t.Errorf("%s: %s: %v", name, tc.reason, problems)
		}
	}
}

// TestSecretsOfARegistration are apart: a change of the key that the manager keeps is for receivers, one of the API's key for nobody but the provider.
func TestSecretsOfARegistration(t *testing.T) {
	t.Parallel()
	e := engine()
	e.Spec.Authentication.PathToken.SecretRefs = []v1alpha1.SecretKeyReference{{Name: "token", Key: "k"}, {Name: "older", Key: "k"}}
	if diff := cmp.Diff([]string{registrationSecret, "older", "token"}, render.EndpointSecrets(&e)); diff != "" {
		t.Errorf("of the endpoint (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"api", "token"}, render.RegistrationSecrets(&e)); diff != "" {
		t.Errorf("of the registration (-want +got):\n%s", diff)
	}
	if render.NamesKeys(&e) {
		t.Error("the author names no key")
	}
	e = engine(v1alpha1.SecretKeyReference{Name: "own", Key: "k"})
	if !render.NamesKeys(&e) {
		t.Error("the author names a key")
	}
	e.Spec.Registration = nil
	if len(render.RegistrationSecrets(&e)) > 0 || render.KeyField(&e) != "" {
		t.Error("an endpoint that is registered by hand")
	}
}

// TestRegistrationOf reads the first of each credential, and holds it to the same rules as receivers do.
func TestRegistrationOf(t *testing.T) {
	t.Parallel()
	e := engine()
	e.Spec.Authentication = v1alpha1.Authentication{
		PathToken: v1alpha1.PathTokenFactor{SecretRefs: []v1alpha1.SecretKeyReference{{Name: "s", Key: "token"}, {Name: "s", Key: "older"}}},
		Basic:     v1alpha1.BasicFactor{SecretRefs: []v1alpha1.BasicSecretReference{{Name: "s"}}},
		Header:    v1alpha1.HeaderFactor{Name: "X", SecretRefs: []v1alpha1.SecretKeyReference{{Name: "s", Key: "header"}}},
	}
	data := map[string][]byte{
		"key": []byte("api key"), "token": []byte("0123456789abcdef"), "username": []byte("u"), "password": []byte("0123456789ab"), "header": []byte("0123456789abcdef"),
	}
	secret := func(string, string) (map[string][]byte, bool) { return data, true }
	got, problems := render.RegistrationOf(&e, secret, nil)
	want := render.Registration{APIKey: "api key", PathToken: "0123456789abcdef", Username: "u", Password: "0123456789ab", HeaderValue: "0123456789abcdef"}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%v (-want +got):\n%s", problems, diff)
	}
	data["token"] = []byte("short")
	if _, problems := render.RegistrationOf(&e, secret, nil); len(problems) != 1 || !strings.Contains(problems[0].Message, "can be guessed") {
		t.Errorf("a token that can be guessed: %v", problems)
	}
	if _, problems := render.RegistrationOf(&e, secret, func(string, string) string { return "kubernetes.io/service-account-token" }); len(problems) == 0 {
		t.Error("the credential of a part of the cluster is sent elsewhere")
	}
}
