package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

const (
	routes    = "\nroutes: [{name: all, sinkRef: {name: console}}]"
	engageLab = "provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: a, key: b}], bodyIntegrity: None}}"
	ref       = "[{name: a, key: b}]"
)

func TestProviderUnion(t *testing.T) {
	t.Parallel()

	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"EngageLab":    {"each type takes its member", engageLab + routes, ""},
		"WebexConnect": {"each type takes its member", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: " + ref + "}}" + routes, ""},
		"EmailEngine":  {"each type takes its member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}}" + routes, ""},
		"MailChannels": {"each type takes its member", "provider: {type: MailChannels, mailChannels: {customerHandles: [abc123]}}" + routes, ""},

		"EngageLab without":    {"no type goes without its member", "provider: {type: EngageLab}" + routes, "spec.provider.engageLab: must be set when type is EngageLab"},
		"WebexConnect without": {"no type goes without its member", "provider: {type: WebexConnect}" + routes, "spec.provider.webexConnect: must be set when type is WebexConnect"},
		"EmailEngine without":  {"no type goes without its member", "provider: {type: EmailEngine}" + routes, "spec.provider.emailEngine: must be set when type is EmailEngine"},
		"MailChannels without": {"no type goes without its member", "provider: {type: MailChannels}" + routes, "spec.provider.mailChannels: must be set when type is MailChannels"},

		"EngageLab beside":    {"no type takes another's member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}, engageLab: {appKeyRefs: " + ref + "}}" + routes, "spec.provider.engageLab: must not be set unless type is EngageLab"},
		"WebexConnect beside": {"no type takes another's member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}, webexConnect: {}}" + routes, "spec.provider.webexConnect: must not be set unless type is WebexConnect"},
		"EmailEngine beside":  {"no type takes another's member", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + "}, emailEngine: {}}" + routes, "spec.provider.emailEngine: must not be set unless type is EmailEngine"},
		"MailChannels beside": {"no type takes another's member", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + "}, mailChannels: {customerHandles: [a]}}" + routes, "spec.provider.mailChannels: must not be set unless type is MailChannels"},

		"unknown type": {"the enum lists what this release can do", "provider: {type: SendPigeon}" + routes, `spec.provider.type: "EmailEngine"`},
		"no type":      {"the discriminator is required", "provider: {}" + routes, "spec.provider.type: Required"},
	})
}

func TestProviderCredentials(t *testing.T) {
	t.Parallel()

	const (
		pathToken = "\nauthentication: {pathToken: {secretRefs: [{name: a, key: b}]}}"
		cidrs     = "\nauthentication: {allowedCIDRs: [203.0.113.0/24]}"
	)
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"EngageLab none":  {"an endpoint without a key lets everybody in", "provider: {type: EngageLab, engageLab: {}}" + routes, "spec.provider.engageLab.appKeyRefs: Required"},
		"EngageLab empty": {"an empty list is no key", "provider: {type: EngageLab, engageLab: {appKeyRefs: []}}" + routes, "spec.provider.engageLab.appKeyRefs: at least 1"},
		"MailChannels no handles": {
			"without handles any customer of MailChannels gets in", "provider: {type: MailChannels, mailChannels: {publicKeys: [{id: a, key: b}]}}" + routes,
			"spec.provider.mailChannels.customerHandles: Required",
		},
		"MailChannels empty handles": {"an empty list is no handle", "provider: {type: MailChannels, mailChannels: {customerHandles: []}}" + routes, "spec.provider.mailChannels.customerHandles: at least 1"},
		"MailChannels same handle":   {"handles are a set", "provider: {type: MailChannels, mailChannels: {customerHandles: [a, a]}}" + routes, "spec.provider.mailChannels.customerHandles[1]: Duplicate"},
		"MailChannels same key id":   {"keys are a map by id", "provider: {type: MailChannels, mailChannels: {customerHandles: [a], publicKeys: [{id: a, key: b}, {id: a, key: c}]}}" + routes, "spec.provider.mailChannels.publicKeys[1]: Duplicate"},
		"MailChannels plain http":    {"a key that is fetched in the clear is no key", "provider: {type: MailChannels, mailChannels: {customerHandles: [a], publicKeyURL: 'http://example.com/key'}}" + routes, "spec.provider.mailChannels.publicKeyURL: absolute https URL"},
		"MailChannels https":         {"a mirror may serve the keys", "provider: {type: MailChannels, mailChannels: {customerHandles: [a], publicKeyURL: 'https://example.com/key'}}" + routes, ""},

		"WebexConnect unsigned":            {"nothing would authenticate a request", "provider: {type: WebexConnect, webexConnect: {}}" + routes, "spec.provider.webexConnect.hubSecretRefs: unless spec.authentication"},
		"WebexConnect unsigned, but token": {"another factor is set", "provider: {type: WebexConnect, webexConnect: {}}" + routes + pathToken, ""},
		"WebexConnect empty":               {"an empty list is no secret", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: []}}" + routes + pathToken, "spec.provider.webexConnect.hubSecretRefs: at least 1"},
		"EmailEngine unsigned":             {"nothing would authenticate a request", "provider: {type: EmailEngine, emailEngine: {}}" + routes, "spec.provider.emailEngine.serviceSecretRefs: unless spec.authentication"},
		"EmailEngine unsigned, but CIDRs":  {"another factor is set", "provider: {type: EmailEngine, emailEngine: {}}" + routes + cidrs, ""},
		"EmailEngine empty authentication": {"an empty authentication is no factor", "provider: {type: EmailEngine, emailEngine: {}}" + routes + "\nauthentication: {}", "spec.authentication: at least 1"},
		"EmailEngine bad algorithm":        {"enum", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: " + ref + ", signatureAlgorithm: MD5}}" + routes, `spec.provider.webexConnect.signatureAlgorithm: "SHA512"`},
		"EngageLab itime":                  {"enum", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + ", signatureAlgorithm: HMACSHA256ITime}}" + routes + pathToken, ""},
		"EngageLab bad algorithm":          {"enum", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + ", signatureAlgorithm: SHA1}}" + routes, `spec.provider.engageLab.signatureAlgorithm: "HMACSHA256"`},
		"negative tolerance":               {"bounds", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + ", toleranceSeconds: -1}}" + routes, "spec.provider.engageLab.toleranceSeconds: greater than or equal to 0"},
		"no key in a reference":            {"a reference names a key", "provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: a}]}}" + routes, "spec.provider.engageLab.appKeyRefs[0].key: Required"},
		"a Secret of another namespace":    {"references stay in the namespace", "provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: other/a, key: b}]}}" + routes, "spec.provider.engageLab.appKeyRefs[0].name: should match"},
	})
}

// TestAFactorThatIsNone has nothing that would tell the provider from everybody else.
func TestAFactorThatIsNone(t *testing.T) {
	t.Parallel()

	const (
		none, whole = "", "0.0.0.0/0"
		refused     = "spec.authentication.allowedCIDRs: where nothing else authenticates requests"
	)
	cidrs := func(ranges string) string { return "\nauthentication: {allowedCIDRs: [" + ranges + "]}" }
	unsigned := map[string]string{
		"WebexConnect": "provider: {type: WebexConnect, webexConnect: {}}",
		"EmailEngine":  "provider: {type: EmailEngine, emailEngine: {}}",
		"EngageLab":    "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + "}}",
	}
	tests := map[string]admissionCase{
		"EngageLab alone":                 {"it signs no body", unsigned["EngageLab"] + routes, "spec.authentication: bodyIntegrity to None"},
		"EngageLab with the word":         {"somebody knows", engageLab + routes, none},
		"EngageLab with another word":     {"there is no other", strings.Replace(engageLab, "None", "Body", 1) + routes, `spec.provider.engageLab.bodyIntegrity: "None"`},
		"EngageLab with a token":          {"a second factor", unsigned["EngageLab"] + routes + "\nauthentication: {pathToken: {secretRefs: " + ref + "}}", none},
		"EngageLab in Shadow":             {"it does not stay there", unsigned["EngageLab"] + routes + "\nverification: Shadow", "spec.authentication: bodyIntegrity to None"},
		"EngageLab, the word, everywhere": {"the word covers it", engageLab + routes + cidrs(whole), none},
		"signed and everywhere":           {"the signature is the factor", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}}" + routes + cidrs(whole), none},
		"MailChannels and everywhere":     {"it always signs", "provider: {type: MailChannels, mailChannels: {customerHandles: [a]}}" + routes + cidrs(whole), none},
	}
	for name, provider := range unsigned {
		token := "\nauthentication: {pathToken: {secretRefs: " + ref + "}, allowedCIDRs: [0.0.0.0/0]}"
		for what, tc := range map[string]struct{ reason, ranges, want string }{
			"everywhere":            {"IPv4", "0.0.0.0/0", refused},
			"everywhere in IPv6":    {"IPv6", "'::/0'", refused},
			"everywhere, in halves": {"two of them are all", "0.0.0.0/1, 128.0.0.0/1", refused},
			"one that is too large": {"one is enough", "203.0.113.0/24, 1.0.0.0/7", refused},
			"IPv6 of /31":           {"", "'2001:db8::/31'", refused},
			"IPv4 in IPv6":          {"it is no range of the API server's", "'::ffff:0:0/96'", "spec.authentication.allowedCIDRs[0]: must be a range"},
			"the largest":           {"", "10.0.0.0/8, '2001:db8::/32'", none},
			"addresses":             {"", "203.0.113.7/32, '2001:db8::1/128'", none},
		} {
			tests[name+" "+what] = admissionCase{tc.reason, provider + routes + cidrs(tc.ranges), tc.want}
		}
		tests[name+" everywhere with a token"] = admissionCase{"the token is the factor", provider + routes + token, none}
	}
	runCreate(t, v1alpha1.WebhookEndpointKind, tests)
}

func TestAuthentication(t *testing.T) {
	t.Parallel()

	endpoint := func(authentication string) string {
		return engageLab + routes + "\nauthentication: " + authentication
	}
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"all": {"factors combine", endpoint("{pathToken: {secretRefs: " + ref + "}, basic: {secretRefs: [{name: a}]}, header: {name: X-Api-Key, secretRefs: " + ref + "}, allowedCIDRs: [203.0.113.0/24, '2001:db8::/32']}"), ""},

		"an address":            {"a range has a length", endpoint("{allowedCIDRs: [203.0.113.1]}"), "spec.authentication.allowedCIDRs[0]: must be a range"},
		"the same range twice":  {"ranges are a set", endpoint("{allowedCIDRs: [10.0.0.0/8, 10.0.0.0/8]}"), "spec.authentication.allowedCIDRs[1]: Duplicate"},
		"no range":              {"an empty list is no factor", endpoint("{allowedCIDRs: []}"), "spec.authentication.allowedCIDRs: at least 1"},
		"header without name":   {"required", endpoint("{header: {secretRefs: " + ref + "}}"), "spec.authentication.header.name: Required"},
		"header with a space":   {"RFC 9110 section 5.1", endpoint("{header: {name: X Api, secretRefs: " + ref + "}}"), "spec.authentication.header.name: should match"},
		"header without secret": {"a factor without a secret is none", endpoint("{header: {name: X-Api-Key}}"), "spec.authentication.header.secretRefs: Required"},
		"token without secret":  {"a factor without a secret is none", endpoint("{pathToken: {}}"), "spec.authentication.pathToken.secretRefs: Required"},
		"basic without secret":  {"a factor without a secret is none", endpoint("{basic: {secretRefs: []}}"), "spec.authentication.basic.secretRefs: at least 1"},
	})
}

func TestEndpointFields(t *testing.T) {
	t.Parallel()

	endpoint := func(more string) string { return engageLab + routes + "\n" + more }
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"path":                {"segments", endpoint("path: /hooks/mail/engage_lab-1.2~"), ""},
		"path relative":       {"a path begins with a slash", endpoint("path: hooks/mail"), "spec.path: must begin with a slash"},
		"path trailing slash": {"one path, one spelling", endpoint("path: /hooks/"), "spec.path: must not end with a slash"},
		"path dots":           {"no way up", endpoint("path: /hooks/../metrics"), "spec.path: do not begin with a dot"},
		"path double slash":   {"one path, one spelling", endpoint("path: /hooks//mail"), "spec.path: must consist of segments"},
		"path query":          {"a path is no URL", endpoint("path: /hooks?x=1"), "spec.path: must consist of segments"},
		"path escape":         {"one path, one spelling", endpoint("path: /hooks/%2e%2e"), "spec.path: must consist of segments"},
		"path root":           {"the root is not an endpoint", endpoint("path: /"), "spec.path: at least 2 chars"},

		"body size":          {"a quantity", endpoint("maxBodySize: 25Mi"), ""},
		"body size number":   {"a number of bytes", endpoint("maxBodySize: 1048576"), ""},
		"body size large":    {"bounded", endpoint("maxBodySize: 101Mi"), "spec.maxBodySize: must be between 1Ki and 100Mi"},
		"body size small":    {"bounded", endpoint("maxBodySize: 100"), "spec.maxBodySize: must be between 1Ki and 100Mi"},
		"body size negative": {"bounded", endpoint("maxBodySize: -10Mi"), "spec.maxBodySize: must be between 1Ki and 100Mi"},
		"body size words":    {"not a quantity", endpoint("maxBodySize: ten"), "spec.maxBodySize: should match"},

		"shadow":             {"enum", endpoint("verification: Shadow"), ""},
		"bad verification":   {"enum", endpoint("verification: Disabled"), `spec.verification: "Enforce"`},
		"paused":             {"enum", endpoint("state: Paused"), ""},
		"bad state":          {"enum", endpoint("state: Stopped"), `spec.state: "Active"`},
		"no provider":        {"required", strings.TrimSpace(routes), "spec.provider: Required"},
		"no routes":          {"what is owed to nobody is lost", engageLab, "spec.routes: Required"},
		"empty routes":       {"what is owed to nobody is lost", engageLab + "\nroutes: []", "spec.routes: at least 1"},
		"same route twice":   {"routes are a map by name", engageLab + "\nroutes: [{name: a, sinkRef: {name: b}}, {name: a, sinkRef: {name: c}}]", "spec.routes[1]: Duplicate"},
		"route without sink": {"required", engageLab + "\nroutes: [{name: a}]", "spec.routes[0].sinkRef: Required"},
		"route name":         {"a label, so that metrics can name it", engageLab + "\nroutes: [{name: A b, sinkRef: {name: b}}]", "spec.routes[0].name: should match"},
		"empty filter":       {"no filter is written by leaving it out", engageLab + "\nroutes: [{name: a, sinkRef: {name: b}, filter: ''}]", "spec.routes[0].filter: at least 1 chars"},
		"long filter":        {"bounded", engageLab + "\nroutes: [{name: a, sinkRef: {name: b}, filter: '" + strings.Repeat("x", 4097) + "'}]", "spec.routes[0].filter: Too long"},
	})
}

func TestEndpointDefaults(t *testing.T) {
	t.Parallel()

	object, errs := create(t, v1alpha1.WebhookEndpointKind, engageLab+routes)
	if len(errs) != 0 {
		t.Fatal(errs.ToAggregate())
	}
	want := decode(t, v1alpha1.WebhookEndpointKind, `
provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: a, key: b}], bodyIntegrity: None, signatureAlgorithm: Auto, toleranceSeconds: 86400}}
routes: [{name: all, sinkRef: {name: console}}]
verification: Enforce
state: Active
maxBodySize: 10Mi`)
	if diff := cmp.Diff(want["spec"], object["spec"]); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestProviderTypeIsImmutable(t *testing.T) {
	t.Parallel()

	old, _ := create(t, v1alpha1.WebhookEndpointKind, engageLab+routes)
	for name, tc := range map[string]admissionCase{
		"another type": {
			"an endpoint of another provider is another endpoint", "provider: {type: MailChannels, mailChannels: {customerHandles: [a]}}" + routes,
			"spec.provider.type: must not be changed",
		},
		"another key": {"keys rotate", "provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: a, key: c}], bodyIntegrity: None}}" + routes, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			review := newJudge(t).Update(t, decode(t, v1alpha1.WebhookEndpointKind, tc.spec), old)
			checkErrors(t, tc.reason, tc.want, review.Errors)
		})
	}
}
