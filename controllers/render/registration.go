package render

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/internal/catalogue"
)

// takenKeys are the keys that the manager has taken from a provider's API, and the setting that they belong to.
type takenKeys struct {
	setting string
	values  []string
	missing *Problem // why there are none
}

// KeyField returns the field of an endpoint's provider whose credentials the manager takes from the provider's API, such as "signingSecretRefs";
// empty when there is none.
func KeyField(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Registration == nil {
		return ""
	}
	for _, p := range catalogue.Registering() {
		if p.Type == string(e.Spec.Provider.Type) {
			return p.Registration.Key
		}
	}
	return ""
}

// taken returns the keys of an endpoint that the manager keeps; nil when there are none to keep.
func (s *settingsResolver) taken(e *v1alpha1.WebhookEndpoint) *takenKeys {
	field := KeyField(e)
	if field == "" {
		return nil
	}
	name := children.RegistrationSecretName(e.Name)
	taken := &takenKeys{setting: settingOf(field)}
	data, found := s.secret(e.Namespace, name)
	problem := Problem{
		Object: s.object, Field: "spec.registration", Reason: v1alpha1.ReasonRegistrationPending,
		Related: Object{Kind: "Secret", Namespace: e.Namespace, Name: name},
		Message: "Secret \"" + name + "\", in which the manager keeps the provider's key, is not there yet; without a manager, set " + field,
	}
	if found && s.secretType != nil && s.secretType(e.Namespace, name) != string(children.RegistrationSecretType) {
		problem.Reason, problem.Message = v1alpha1.ReasonNameTaken, "Secret \""+name+"\" is not the manager's, and is not read; delete or rename it"
		found = false
	}
	for _, key := range []string{children.RegistrationKey, children.RegistrationPreviousKey} {
		if value := data[key]; found && len(value) > 0 {
			taken.values = append(taken.values, string(value))
		}
	}
	if len(taken.values) == 0 {
		taken.missing = &problem
	}
	return taken
}

// addTaken adds the keys to the settings of a member. That there are none is a problem where the author names none either.
func (s *settingsResolver) addTaken(settings any, taken *takenKeys) {
	object, ok := settings.(map[string]any)
	if !ok || taken == nil {
		return
	}
	given, _ := object[taken.setting].([]any)
	if len(given) == 0 && taken.missing != nil {
		s.note(*taken.missing)
		return
	}
	for _, value := range taken.values {
		if !slices.Contains(given, any(value)) {
			given = append(given, value)
		}
	}
	object[taken.setting] = given
}

// Registration is what the manager tells a provider, and by what it asks.
type Registration struct {
	// APIKey is the key of the provider's API.
	APIKey string
	// PathToken, Username, Password and HeaderValue are what requests are to show; empty = nothing.
	PathToken, Username, Password, HeaderValue string
}

// RegistrationOf returns what an endpoint's webhook is registered with: of several credentials that are valid, the first. It returns what is wrong with
// the Secrets.
func RegistrationOf(
	e *v1alpha1.WebhookEndpoint, secret func(namespace, name string) (map[string][]byte, bool), secretType func(namespace, name string) string,
) (Registration, []Problem) {
	s := settingsResolver{
		object: Object{Kind: v1alpha1.WebhookEndpointKind, Namespace: e.Namespace, Name: e.Name}, secret: secret, secretType: secretType,
	}
	var r Registration
	if e.Spec.Registration == nil {
		return r, nil
	}
	key := e.Spec.Registration.APIKeyRef
	r.APIKey = s.secretKey("spec.registration.apiKeyRef", key.Name, key.Key, 0)
	factors := &e.Spec.Authentication
	if refs := factors.PathToken.SecretRefs; len(refs) > 0 {
		r.PathToken = s.secretKey("spec.authentication.pathToken.secretRefs[0]", refs[0].Name, refs[0].Key, minFactorBytes)
	}
	if refs := factors.Basic.SecretRefs; len(refs) > 0 {
		const field = "spec.authentication.basic.secretRefs[0]"
		r.Username = s.secretKey(field, refs[0].Name, "username", 0)
		r.Password = s.secretKey(field, refs[0].Name, "password", minPasswordBytes)
	}
	if refs := factors.Header.SecretRefs; len(refs) > 0 {
		r.HeaderValue = s.secretKey("spec.authentication.header.secretRefs[0]", refs[0].Name, refs[0].Key, minFactorBytes)
	}
	return r, s.problems
}

// RegistrationSecrets returns the names of the Secrets that an endpoint's webhook is registered with, sorted.
func RegistrationSecrets(e *v1alpha1.WebhookEndpoint) []string {
	names := map[string]bool{}
	RegistrationOf(e, func(_, name string) (map[string][]byte, bool) {
		names[name] = true
		return nil, false
	}, nil)
	return slices.Sorted(maps.Keys(names))
}

// NamesKeys reports whether the author of an endpoint names the credentials of the provider himself that the manager could take from its API.
func NamesKeys(e *v1alpha1.WebhookEndpoint) bool {
	field := KeyField(e)
	s := settingsResolver{secret: func(string, string) (map[string][]byte, bool) { return nil, false }}
	var settings map[string]json.RawMessage
	if json.Unmarshal(s.plugin(string(e.Spec.Provider.Type), e.Spec.Provider, "", nil).Settings, &settings) != nil {
		return false
	}
	_, named := settings[settingOf(field)]
	return named
}

// settingOf returns the name of a field in the settings.
func settingOf(field string) string {
	if before, isReference := strings.CutSuffix(field, "Refs"); isReference {
		return before + "s"
	}
	return field
}
