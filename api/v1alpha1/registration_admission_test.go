package v1alpha1_test

import (
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestRegistration(t *testing.T) {
	t.Parallel()

	const (
		mailChannels = "provider: {type: MailChannels, mailChannels: {customerHandles: [abc123]}}" + routes
		unsigned     = "provider: {type: EmailEngine, emailEngine: {}}" + routes
		key          = "apiKeyRef: {name: a, key: b}"
		base         = ", baseURL: 'https://engine.example.com'"
	)
	registration := func(more string) string { return "\nregistration: {" + more + "}" }
	cidrs := "\nauthentication: {allowedCIDRs: [0.0.0.0/0]}"
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"a key":          {"nothing more is needed", mailChannels + registration(key), ""},
		"all of it":      {"what it may say", mailChannels + registration(key+", events: [delivered, 'a.b_c-d'], deletionPolicy: Delete"), ""},
		"no key":         {"the API asks for one", mailChannels + registration("deletionPolicy: Delete"), "spec.registration.apiKeyRef: Required"},
		"another policy": {"there are two", mailChannels + registration(key+", deletionPolicy: Orphan"), "spec.registration.deletionPolicy: Unsupported value"},
		"no event":       {"an endpoint without events is none", mailChannels + registration(key+", events: []"), "spec.registration.events: at least 1"},
		"a bad event":    {"it becomes part of requests", mailChannels + registration(key+", events: ['a b']"), "spec.registration.events[0]: should match"},

		"no API":     {"Webex Connect has none", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: " + ref + "}}" + routes + registration(key), "spec.registration: must not be set: Mailvane knows no API"},
		"an account": {"the key says it", mailChannels + registration(key+", account: a"), "spec.registration.account: must not be set for this provider"},
		"a region":   {"there is one API", mailChannels + registration(key+", region: EU"), "spec.registration.region: must not be set for this provider"},
		"a base URL": {"where it is, is known", mailChannels + registration(key+base), "spec.registration.baseURL: must not be set for this provider"},

		"a key that is taken":   {"the provider tells it", "provider: {type: Resend, resend: {}}" + routes + registration(key), ""},
		"no key at all":         {"nobody tells it", "provider: {type: Resend, resend: {}}" + routes, "spec.provider.resend.signingSecretRefs: Required"},
		"no domain":             {"a key may be of several", mailgun("") + routes + pathToken + registration(key), "spec.registration.account: must be set for Mailgun"},
		"a domain and a region": {"what its API asks for", mailgun("") + routes + pathToken + registration(key+", account: mg.example.com, region: EU"), ""},
		"another's region":      {"there are two", mailgun("") + routes + pathToken + registration(key+", account: mg.example.com, region: Turkey"), "spec.registration.region: must be US or EU for Mailgun"},
		"a domain with a slash": {"it becomes part of a path", mailgun("") + routes + pathToken + registration(key+", account: a/b"), "spec.registration.account: should match"},
		"a default":             {"every server has the stream", "provider: {type: Postmark, postmark: {}}" + routes + pathToken + registration(key), ""},

		"run by its users":      {"where it is, has to be said", unsigned + registration(key), "spec.registration.baseURL: must be set for EmailEngine"},
		"the manager's key":     {"it makes one, so that requests are signed", unsigned + registration(key+base), ""},
		"its key as the factor": {"the signature is one, so that any range may be added", unsigned + registration(key+base) + cidrs, ""},
		"a range as the factor": {"without the signature, everybody is none", unsigned + cidrs, "spec.authentication.allowedCIDRs: must be ranges"},
		"a Service":             {"what stays in the cluster may go without TLS", unsigned + registration(key+", baseURL: 'http://engine.mail.svc:3000'"), ""},
		"a Service, in full":    {"the same by its whole name", unsigned + registration(key+", baseURL: 'http://engine.mail.svc.cluster.local/ee'"), ""},
		"in the clear":          {"the key would be read on the way", unsigned + registration(key+", baseURL: 'http://engine.example.com'"), "spec.registration.baseURL: must be an https URL"},
		"like a Service":        {"a name that only looks like one", unsigned + registration(key+", baseURL: 'http://a.b.svc.example.com'"), "spec.registration.baseURL: must be an https URL"},
		"a Service, and more":   {"what is behind @ is where it goes", unsigned + registration(key+", baseURL: 'http://a.b.svc:80@example.com/'"), "spec.registration.baseURL: must be an https URL"},
		"a password in the URL": {"everybody may read it", unsigned + registration(key+", baseURL: 'https://a:b@engine.example.com'"), "spec.registration.baseURL: must be an https URL"},
		"a query":               {"paths are added to it", unsigned + registration(key+", baseURL: 'https://engine.example.com/?a=b'"), "spec.registration.baseURL: must be an https URL"},
	})
}
