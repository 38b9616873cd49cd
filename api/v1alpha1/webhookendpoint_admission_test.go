package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

const (
	routes    = "\nroutes: [{name: all, sinkRef: {name: console}}]"
	amazonSES = "provider: {type: AmazonSES, amazonSES: {topicARNs: ['arn:aws:sns:eu-west-1:123456789012:t'], rawDelivery: false}}"
	engageLab = "provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: a, key: b}], bodyIntegrity: None}}"
	ref       = "[{name: a, key: b}]"
	pathToken = "\nauthentication: {pathToken: {secretRefs: [{name: a, key: b}]}}"
)

// mandrill returns a provider with more of its settings than its key.
func mandrill(more string) string {
	return "provider: {type: Mandrill, mandrill: {webhookKeyRefs: " + ref + more + "}}"
}

// mailgun returns a provider with more of its settings than its key.
func mailgun(more string) string {
	return "provider: {type: Mailgun, mailgun: {signingKeyRefs: " + ref + more + "}}"
}

func TestProviderUnion(t *testing.T) {
	t.Parallel()

	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"EngageLab":    {"each type takes its member", engageLab + routes, ""},
		"WebexConnect": {"each type takes its member", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: " + ref + "}}" + routes, ""},
		"EmailEngine":  {"each type takes its member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}}" + routes, ""},
		"MailChannels": {"each type takes its member", "provider: {type: MailChannels, mailChannels: {customerHandles: [abc123]}}" + routes, ""},
		"Mandrill":     {"each type takes its member", mandrill("") + routes, ""},
		"Postmark":     {"a member without fields is one", "provider: {type: Postmark, postmark: {}}" + routes + pathToken, ""},

		"Resend":           {"each type takes its member", "provider: {type: Resend, resend: {signingSecretRefs: " + ref + "}}" + routes, ""},
		"StandardWebhooks": {"each type takes its member", "provider: {type: StandardWebhooks, standardWebhooks: {signingSecretRefs: " + ref + "}}" + routes, ""},

		"AmazonSES":   {"each type takes its member", amazonSES + routes, ""},
		"ScalewayTEM": {"each type takes its member", "provider: {type: ScalewayTEM, scalewayTEM: {topicARNs: ['arn:scw:sns:fr-par:project-1:t'], certificateAuthorities: [a]}}" + routes, ""},

		"Mailjet": {"each type takes its member", "provider: {type: Mailjet, mailjet: {}}" + routes + pathToken, ""},

		"SparkPost": {"each type takes its member", "provider: {type: SparkPost, sparkPost: {}}" + routes + pathToken, ""},

		"SMTP2GO": {"each type takes its member", "provider: {type: SMTP2GO, smtp2go: {}}" + routes + pathToken, ""},

		"UnisenderGo": {"each type takes its member", "provider: {type: UnisenderGo, unisenderGo: {apiKeyRefs: " + ref + "}}" + routes, ""},

		"MailerSend": {"each type takes its member", "provider: {type: MailerSend, mailerSend: {signingSecretRefs: " + ref + "}}" + routes, ""},

		"Mailtrap": {"each type takes its member", "provider: {type: Mailtrap, mailtrap: {signingSecretRefs: " + ref + "}}" + routes, ""},

		"Postal": {"each type takes its member", "provider: {type: Postal, postal: {publicKeys: [{id: a, key: b}]}}" + routes, ""},

		"CustomerIO": {"each type takes its member", "provider: {type: CustomerIO, customerIO: {signingKeyRefs: " + ref + "}}" + routes, ""},

		"Loops": {"each type takes its member", "provider: {type: Loops, loops: {signingSecretRefs: " + ref + "}}" + routes, ""},

		"Custom": {"each type takes its member", customEndpoint("scheme: HMAC, header: X-Sig, encoding: Hex, keyRefs: "+ref) + routes, ""},

		"MailPace": {"each type takes its member", "provider: {type: MailPace, mailPace: {publicKeys: ['A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=']}}" + routes, ""},

		"Nylas": {"each type takes its member", "provider: {type: Nylas, nylas: {webhookSecretRefs: " + ref + "}}" + routes, ""},

		"MicrosoftGraph": {"each type takes its member", "provider: {type: MicrosoftGraph, microsoftGraph: {clientStateRefs: " + ref + ", decryptionKeys: [{certificateID: a, keyRef: {name: a, key: b}}]}}" + routes, ""},

		"EngageLab without":    {"no type goes without its member", "provider: {type: EngageLab}" + routes, "spec.provider.engageLab: must be set when type is EngageLab"},
		"WebexConnect without": {"no type goes without its member", "provider: {type: WebexConnect}" + routes, "spec.provider.webexConnect: must be set when type is WebexConnect"},
		"EmailEngine without":  {"no type goes without its member", "provider: {type: EmailEngine}" + routes, "spec.provider.emailEngine: must be set when type is EmailEngine"},
		"MailChannels without": {"no type goes without its member", "provider: {type: MailChannels}" + routes, "spec.provider.mailChannels: must be set when type is MailChannels"},

		"Mailgun":         {"each type takes its member", mailgun("") + routes + pathToken, ""},
		"Mailgun without": {"no type goes without its member", "provider: {type: Mailgun}" + routes + pathToken, "spec.provider.mailgun: must be set when type is Mailgun"},
		"Mailgun beside":  {"no type takes another's member", "provider: {type: Postmark, postmark: {}, mailgun: {signingKeyRefs: " + ref + "}}" + routes + pathToken, "spec.provider.mailgun: must not be set unless type is Mailgun"},
		"Brevo":           {"a member without fields is one", "provider: {type: Brevo, brevo: {}}" + routes + pathToken, ""},
		"Brevo without":   {"no type goes without its member", "provider: {type: Brevo}" + routes + pathToken, "spec.provider.brevo: must be set when type is Brevo"},
		"Brevo beside":    {"no type takes another's member", "provider: {type: Postmark, postmark: {}, brevo: {}}" + routes + pathToken, "spec.provider.brevo: must not be set unless type is Brevo"},

		"SendGrid":         {"each type takes its member", "provider: {type: SendGrid, sendGrid: {publicKeys: [MFkw]}}" + routes, ""},
		"SendGrid without": {"no type goes without its member", "provider: {type: SendGrid}" + routes + pathToken, "spec.provider.sendGrid: must be set when type is SendGrid"},
		"SendGrid beside":  {"no type takes another's member", "provider: {type: Postmark, postmark: {}, sendGrid: {}}" + routes + pathToken, "spec.provider.sendGrid: must not be set unless type is SendGrid"},

		"Mandrill without": {"no type goes without its member", "provider: {type: Mandrill}" + routes, "spec.provider.mandrill: must be set when type is Mandrill"},
		"Postmark without": {"no type goes without its member", "provider: {type: Postmark}" + routes + pathToken, "spec.provider.postmark: must be set when type is Postmark"},

		"EngageLab beside":    {"no type takes another's member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}, engageLab: {appKeyRefs: " + ref + "}}" + routes, "spec.provider.engageLab: must not be set unless type is EngageLab"},
		"WebexConnect beside": {"no type takes another's member", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}, webexConnect: {}}" + routes, "spec.provider.webexConnect: must not be set unless type is WebexConnect"},
		"EmailEngine beside":  {"no type takes another's member", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + "}, emailEngine: {}}" + routes, "spec.provider.emailEngine: must not be set unless type is EmailEngine"},
		"MailChannels beside": {"no type takes another's member", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + "}, mailChannels: {customerHandles: [a]}}" + routes, "spec.provider.mailChannels: must not be set unless type is MailChannels"},

		"Mandrill beside": {"no type takes another's member", "provider: {type: Postmark, postmark: {}, mandrill: {webhookKeyRefs: " + ref + "}}" + routes + pathToken, "spec.provider.mandrill: must not be set unless type is Mandrill"},
		"Postmark beside": {"no type takes another's member", "provider: {type: Mandrill, mandrill: {webhookKeyRefs: " + ref + "}, postmark: {}}" + routes, "spec.provider.postmark: must not be set unless type is Postmark"},

		"unknown type": {"the enum lists what this release can do", "provider: {type: SendPigeon}" + routes, `spec.provider.type: "EmailEngine"`},
		"no type":      {"the discriminator is required", "provider: {}" + routes, "spec.provider.type: Required"},
	})
}

func TestProviderCredentials(t *testing.T) {
	t.Parallel()

	const cidrs = "\nauthentication: {allowedCIDRs: [203.0.113.0/24]}"
	mapped := func(mapping string) string {
		return "provider: {type: StandardWebhooks, standardWebhooks: {signingSecretRefs: " + ref + ", mapping: " + mapping + "}}"
	}
	azure := func(member string) string {
		return "provider: {type: AzureCommunicationServices, azureCommunicationServices: " + member + "}"
	}
	gmail := func(member string) string {
		return "provider: {type: GmailPubSub, gmailPubSub: " + member + "}"
	}
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

		"Azure unsigned":             {"nothing would authenticate a request", azure("{subscriptionNames: [abc]}") + routes, "spec.provider.azureCommunicationServices.entra: unless spec.authentication"},
		"Azure with a path token":    {"another factor is set", azure("{}") + routes + pathToken, ""},
		"Azure with Entra":           {"the token is the factor", azure("{entra: {tenantID: 4962773b-9cdb-44cf-a8bf-237846a00ab7, audiences: [a]}}") + routes, ""},
		"Azure a tenant's name":      {"the keys stand at its id", azure("{entra: {tenantID: example.com, audiences: [a]}}") + routes, "spec.provider.azureCommunicationServices.entra.tenantID: at least 36 chars"},
		"Azure a tenant in capitals": {"tokens have it in small letters", azure("{entra: {tenantID: 4962773B-9CDB-44CF-A8BF-237846A00AB7, audiences: [a]}}") + routes, "spec.provider.azureCommunicationServices.entra.tenantID: should match"},
		"Azure no audience":          {"the tenant has other applications", azure("{entra: {tenantID: 4962773b-9cdb-44cf-a8bf-237846a00ab7}}") + routes, "spec.provider.azureCommunicationServices.entra.audiences: Required"},
		"Azure any origin":           {"an origin is a host", azure("{allowedOrigins: ['*']}") + routes + pathToken, "spec.provider.azureCommunicationServices.allowedOrigins[0]: should match"},

		"Gmail unsigned":               {"nothing would authenticate a request", gmail("{}") + routes, "spec.provider.gmailPubSub.audiences: must be set unless spec.authentication sets another factor"},
		"Gmail with a path token":      {"another factor is set", gmail("{}") + routes + pathToken, ""},
		"Gmail with tokens":            {"the token is the factor", gmail("{audiences: [a], serviceAccounts: [push@example.com]}") + routes, ""},
		"Gmail any service account":    {"anybody has tokens with that audience", gmail("{audiences: [a]}") + routes, "spec.provider.gmailPubSub.serviceAccounts: must be set when audiences is"},
		"Gmail any audience":           {"a token for somebody else would pass", gmail("{serviceAccounts: [push@example.com]}") + routes + pathToken, "spec.provider.gmailPubSub.audiences: must be set when serviceAccounts is"},
		"Gmail no service account":     {"an empty list is none", gmail("{audiences: [a], serviceAccounts: []}") + routes, "spec.provider.gmailPubSub.serviceAccounts: at least 1"},
		"Gmail an account's number":    {"the address is compared", gmail("{audiences: [a], serviceAccounts: ['113774264463038321964']}") + routes, "spec.provider.gmailPubSub.serviceAccounts[0]: should match"},
		"Gmail an account in capitals": {"tokens have it in small letters", gmail("{audiences: [a], serviceAccounts: [Push@example.com]}") + routes, "spec.provider.gmailPubSub.serviceAccounts[0]: should match"},
		"Resend none":                  {"an endpoint without a key lets everybody in", "provider: {type: Resend, resend: {}}" + routes, "spec.provider.resend.signingSecretRefs: Required"},
		"Resend negative tolerance":    {"bounds", "provider: {type: Resend, resend: {signingSecretRefs: " + ref + ", toleranceSeconds: -1}}" + routes, "spec.provider.resend.toleranceSeconds: greater than or equal to 0"},
		"mapping":                      {"rules in CEL", mapped("{items: body.events, type: item.event, types: {hardBounce: email.bounced}, id: [item.id], time: timestamp(item.at), fields: {recipient: item.email, bounce.type: '\"hard\"'}, metadata: item.custom}") + routes, ""},
		"mapping without a type":       {"what an event is called", mapped("{items: body.events}") + routes, "spec.provider.standardWebhooks.mapping.type: Required"},
		"mapping with a call in items": {"an event is found again in what is kept", mapped("{items: 'body.events.filter(e, true)', type: item.event}") + routes, "spec.provider.standardWebhooks.mapping.items: should match"},
		"mapping with an empty id":     {"parts of which there is none", mapped("{type: item.event, id: []}") + routes, "spec.provider.standardWebhooks.mapping.id: at least 1"},

		"StandardWebhooks none":           {"an endpoint without a key lets everybody in", "provider: {type: StandardWebhooks, standardWebhooks: {}}" + routes, "spec.provider.standardWebhooks.signingSecretRefs: unless publicKeys"},
		"StandardWebhooks a public key":   {"one kind of key is enough", "provider: {type: StandardWebhooks, standardWebhooks: {publicKeys: [whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=]}}" + routes, ""},
		"StandardWebhooks no public keys": {"an empty list is no key", "provider: {type: StandardWebhooks, standardWebhooks: {publicKeys: []}}" + routes, "spec.provider.standardWebhooks.publicKeys: at least 1"},

		"AmazonSES no topic":             {"anybody could post", "provider: {type: AmazonSES, amazonSES: {}}" + routes, "spec.provider.amazonSES.topicARNs: Required"},
		"AmazonSES empty":                {"anybody could post", "provider: {type: AmazonSES, amazonSES: {topicARNs: []}}" + routes, "spec.provider.amazonSES.topicARNs: at least 1"},
		"AmazonSES a pattern":            {"topics are listed exactly", "provider: {type: AmazonSES, amazonSES: {topicARNs: ['arn:aws:sns:eu-west-1:123456789012:*']}}" + routes, "spec.provider.amazonSES.topicARNs[0]: should match"},
		"AmazonSES a queue":              {"it posts nothing", "provider: {type: AmazonSES, amazonSES: {topicARNs: ['arn:aws:sqs:eu-west-1:123456789012:t']}}" + routes, "spec.provider.amazonSES.topicARNs[0]: should match"},
		"AmazonSES of China":             {"another partition", strings.Replace(amazonSES, "arn:aws:sns:eu-west-1", "arn:aws-cn:sns:cn-north-1", 1) + routes, ""},
		"AmazonSES all fields":           {"they are there", strings.Replace(amazonSES, "t'],", "t'], confirmSubscriptions: Manual, requireSignatureVersion2: true, certificates: [a], ", 1) + routes, ""},
		"AmazonSES confirming otherwise": {"enum", strings.Replace(amazonSES, "t'],", "t'], confirmSubscriptions: Never, ", 1) + routes, `spec.provider.amazonSES.confirmSubscriptions: "Manual"`},
		"ScalewayTEM no authority":       {"anybody can put a certificate there", "provider: {type: ScalewayTEM, scalewayTEM: {topicARNs: ['arn:scw:sns:fr-par:project-1:t']}}" + routes, "spec.provider.scalewayTEM.certificateAuthorities: Required"},
		"ScalewayTEM of Amazon":          {"it is another provider's topic", "provider: {type: ScalewayTEM, scalewayTEM: {topicARNs: ['arn:aws:sns:eu-west-1:123456789012:t'], certificateAuthorities: [a]}}" + routes, "spec.provider.scalewayTEM.topicARNs[0]: should match"},

		"WebexConnect unsigned":            {"nothing would authenticate a request", "provider: {type: WebexConnect, webexConnect: {}}" + routes, "spec.provider.webexConnect.hubSecretRefs: unless spec.authentication"},
		"WebexConnect unsigned, but token": {"another factor is set", "provider: {type: WebexConnect, webexConnect: {}}" + routes + pathToken, ""},
		"WebexConnect empty":               {"an empty list is no secret", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: []}}" + routes + pathToken, "spec.provider.webexConnect.hubSecretRefs: at least 1"},
		"EmailEngine unsigned":             {"nothing would authenticate a request", "provider: {type: EmailEngine, emailEngine: {}}" + routes, "spec.provider.emailEngine.serviceSecretRefs: unless spec.authentication"},
		"EmailEngine unsigned, but CIDRs":  {"another factor is set", "provider: {type: EmailEngine, emailEngine: {}}" + routes + cidrs, ""},
		"EmailEngine empty authentication": {"an empty authentication is no factor", "provider: {type: EmailEngine, emailEngine: {}}" + routes + "\nauthentication: {}", "spec.authentication: at least 1"},
		"EmailEngine bad algorithm":        {"enum", "provider: {type: WebexConnect, webexConnect: {hubSecretRefs: " + ref + ", signatureAlgorithm: MD5}}" + routes, `spec.provider.webexConnect.signatureAlgorithm: "SHA512"`},
		"EngageLab itime":                  {"enum", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + ", signatureAlgorithm: HMACSHA256ITime}}" + routes + pathToken, ""},
		"EngageLab bad algorithm":          {"enum", "provider: {type: EngageLab, engageLab: {appKeyRefs: " + ref + ", signatureAlgorithm: SHA1}}" + routes, `spec.provider.engageLab.signatureAlgorithm: "HMACSHA256"`},
		"Mailgun none":                     {"an endpoint without a key lets everybody in", "provider: {type: Mailgun, mailgun: {}}" + routes + pathToken, "spec.provider.mailgun.signingKeyRefs: Required"},
		"Mailgun empty":                    {"an empty list is no key", "provider: {type: Mailgun, mailgun: {signingKeyRefs: []}}" + routes + pathToken, "spec.provider.mailgun.signingKeyRefs: at least 1"},
		"Mailgun alone":                    {"it signs no body", mailgun("") + routes, "spec.authentication: must be set, for example pathToken: Mailgun signs no body"},
		"Mailgun with the word":            {"somebody knows", mailgun(", bodyIntegrity: None") + routes, ""},
		"Mailgun with another word":        {"there is no other", mailgun(", bodyIntegrity: Body") + routes, `spec.provider.mailgun.bodyIntegrity: "None"`},
		"Mailgun negative tolerance":       {"bounds", mailgun(", toleranceSeconds: -1") + routes + pathToken, "spec.provider.mailgun.toleranceSeconds: greater than or equal to 0"},
		"Brevo alone":                      {"it signs nothing", "provider: {type: Brevo, brevo: {}}" + routes, "spec.authentication: must be set, for example basic: Brevo signs nothing"},
		"Brevo in Shadow":                  {"it does not stay there", "provider: {type: Brevo, brevo: {}}" + routes + "\nverification: Shadow", "spec.authentication: must be set"},
		"SendGrid unsigned":                {"nothing would authenticate a request", "provider: {type: SendGrid, sendGrid: {}}" + routes, "spec.provider.sendGrid.publicKeys: must be set unless spec.authentication sets another factor"},
		"SendGrid unsigned, but token":     {"another factor is set", "provider: {type: SendGrid, sendGrid: {}}" + routes + pathToken, ""},
		"SendGrid no keys":                 {"an empty list is no key", "provider: {type: SendGrid, sendGrid: {publicKeys: []}}" + routes + pathToken, "spec.provider.sendGrid.publicKeys: at least 1"},
		"SendGrid an empty key":            {"it is none", "provider: {type: SendGrid, sendGrid: {publicKeys: ['']}}" + routes, "spec.provider.sendGrid.publicKeys[0]: at least 1"},
		"SendGrid one key twice":           {"keys are a set", "provider: {type: SendGrid, sendGrid: {publicKeys: [a, a]}}" + routes, "spec.provider.sendGrid.publicKeys[1]: Duplicate"},
		"SendGrid many keys":               {"each is tried", "provider: {type: SendGrid, sendGrid: {publicKeys: [a, b, c, d, e, f, g, h, i]}}" + routes, "spec.provider.sendGrid.publicKeys: Too many"},
		"SendGrid negative tolerance":      {"bounds", "provider: {type: SendGrid, sendGrid: {publicKeys: [a], toleranceSeconds: -1}}" + routes, "spec.provider.sendGrid.toleranceSeconds: greater than or equal to 0"},
		"Mandrill none":                    {"an endpoint without a key lets everybody in", "provider: {type: Mandrill, mandrill: {}}" + routes, "spec.provider.mandrill.webhookKeyRefs: Required"},
		"Mandrill empty":                   {"an empty list is no key", "provider: {type: Mandrill, mandrill: {webhookKeyRefs: []}}" + routes, "spec.provider.mandrill.webhookKeyRefs: at least 1"},
		"Mandrill URLs":                    {"as they were typed, with a user name and without", mandrill(", publicURLs: ['https://u:p@example.com:8443/a/?b=c', 'http://example.com']") + routes, ""},
		"Mandrill no URL":                  {"an empty list is none", mandrill(", publicURLs: []") + routes, "spec.provider.mandrill.publicURLs: at least 1"},
		"Mandrill many URLs":               {"each is one more hash", mandrill(", publicURLs: ['http://a', 'http://b', 'http://c', 'http://d', 'http://e']") + routes, "spec.provider.mandrill.publicURLs: Too many"},
		"Mandrill same URL":                {"URLs are a set", mandrill(", publicURLs: ['http://a', 'http://a']") + routes, "spec.provider.mandrill.publicURLs[1]: Duplicate"},
		"Mandrill path":                    {"the host is signed, too", mandrill(", publicURLs: [/hooks/mail]") + routes, "spec.provider.mandrill.publicURLs: must be absolute http or https URLs"},
		"Mandrill host":                    {"the scheme is signed, too", mandrill(", publicURLs: [example.com/hooks]") + routes, "spec.provider.mandrill.publicURLs: must be absolute http or https URLs"},
		"Mandrill ftp":                     {"nobody posts there", mandrill(", publicURLs: ['ftp://example.com/hooks']") + routes, "spec.provider.mandrill.publicURLs: must be absolute http or https URLs"},
		"Mandrill fragment":                {"nobody sends one", mandrill(", publicURLs: ['https://example.com/#a']") + routes, "spec.provider.mandrill.publicURLs: must be absolute http or https URLs"},
		"Postmark alone":                   {"it signs nothing", "provider: {type: Postmark, postmark: {}}" + routes, "spec.authentication: must be set, for example basic: Postmark signs nothing"},
		"Postmark in Shadow":               {"it does not stay there", "provider: {type: Postmark, postmark: {}}" + routes + "\nverification: Shadow", "spec.authentication: must be set"},
		"Postmark with ranges":             {"a factor", "provider: {type: Postmark, postmark: {}}" + routes + cidrs, ""},
		"Mailjet alone":                    {"it signs nothing", "provider: {type: Mailjet, mailjet: {}}" + routes, "spec.authentication: must be set, for example basic: Mailjet signs nothing"},
		"TencentSES alone":                 {"it signs nothing", "provider: {type: TencentSES, tencentSES: {}}" + routes, "spec.authentication: must be set, for example pathToken: Tencent documents no signature"},
		"TencentSES in Shadow":             {"it does not stay there", "provider: {type: TencentSES, tencentSES: {}}" + routes + "\nverification: Shadow", "spec.authentication: must be set"},
		"TencentSES with a token":          {"a factor", "provider: {type: TencentSES, tencentSES: {}}" + routes + pathToken, ""},
		"AlibabaDirectMail alone":          {"nothing that is signed is checked", "provider: {type: AlibabaDirectMail, alibabaDirectMail: {}}" + routes, "spec.authentication: must be set, for example pathToken: what EventBridge signs is not checked"},
		"AlibabaDirectMail with a token":   {"a factor", "provider: {type: AlibabaDirectMail, alibabaDirectMail: {}}" + routes + pathToken, ""},
		"SparkPost alone":                  {"it signs nothing", "provider: {type: SparkPost, sparkPost: {}}" + routes, "spec.authentication: must be set, for example basic: SparkPost signs nothing"},
		"Mailtrap alone":                   {"without a secret nothing is signed", "provider: {type: Mailtrap, mailtrap: {}}" + routes, "spec.provider.mailtrap.signingSecretRefs: must be set unless spec.authentication"},
		"Mailtrap with a token":            {"another factor", "provider: {type: Mailtrap, mailtrap: {}}" + routes + pathToken, ""},
		"Mailtrap no secrets":              {"a list of none is no list", "provider: {type: Mailtrap, mailtrap: {signingSecretRefs: []}}" + routes, "spec.provider.mailtrap.signingSecretRefs: should have at least 1 items"},
		"SMTP2GO alone":                    {"it signs nothing", "provider: {type: SMTP2GO, smtp2go: {}}" + routes, "spec.authentication: must be set, for example basic: SMTP2GO signs nothing"},
		"UnisenderGo none":                 {"an endpoint without a key lets everybody in", "provider: {type: UnisenderGo, unisenderGo: {}}" + routes, "spec.provider.unisenderGo.apiKeyRefs: Required"},
		"MailerSend none":                  {"an endpoint without a secret lets everybody in", "provider: {type: MailerSend, mailerSend: {}}" + routes, "spec.provider.mailerSend.signingSecretRefs: Required"},
		"Postal without a key":             {"nothing could be verified", "provider: {type: Postal, postal: {}}" + routes, "spec.provider.postal.jwksURL: must be set unless publicKeys is"},
		"Postal with a key set":            {"keys are fetched", "provider: {type: Postal, postal: {jwksURL: 'https://postal.example.com/.well-known/jwks.json'}}" + routes, ""},
		"Postal http":                      {"who is between could put in a key", "provider: {type: Postal, postal: {jwksURL: 'http://postal.example.com/jwks.json'}}" + routes, "spec.provider.postal.jwksURL: must be an absolute https URL"},
		"Postal password":                  {"the URL can be read", "provider: {type: Postal, postal: {jwksURL: 'https://a:b@postal.example.com/'}}" + routes, "spec.provider.postal.jwksURL: must be an absolute https URL"},
		"Postal same id":                   {"keys are told apart by their ids", "provider: {type: Postal, postal: {publicKeys: [{id: a, key: b}, {id: a, key: c}]}}" + routes, "spec.provider.postal.publicKeys[1]: Duplicate"},
		"CustomerIO none":                  {"an endpoint without a key lets everybody in", "provider: {type: CustomerIO, customerIO: {}}" + routes, "spec.provider.customerIO.signingKeyRefs: Required"},
		"Loops none":                       {"an endpoint without a key lets everybody in", "provider: {type: Loops, loops: {}}" + routes, "spec.provider.loops.signingSecretRefs: Required"},
		"Custom without a header":          {"nobody knows where the signature is", customEndpoint("scheme: HMAC, encoding: Hex, keyRefs: "+ref) + routes, "spec.provider.custom.signature.header: must be set"},
		"Custom without a key":             {"nothing could be verified", customEndpoint("scheme: RSA, header: X-Sig, encoding: Hex") + routes, "spec.provider.custom.signature.keyRefs: must be set"},
		"Custom with a key of nothing":     {"it would look safe", customEndpoint("scheme: None, keyRefs: "+ref) + routes + pathToken, "spec.provider.custom.signature.keyRefs: must be set, and must not be for scheme None"},
		"Custom with a header of nothing":  {"it would look safe", customEndpoint("scheme: None, header: X-Sig") + routes + pathToken, "spec.provider.custom.signature.header: must be set, and must not be with StandardWebhooks or None"},
		"Custom alone":                     {"None signs nothing", customEndpoint("scheme: None") + routes, "spec.authentication: must be set, for example pathToken: with provider.custom.signature.scheme None nothing is signed"},
		"Custom with a token":              {"another factor", customEndpoint("scheme: None") + routes + pathToken, ""},
		"Custom Standard Webhooks":         {"it has its own headers", customEndpoint("scheme: StandardWebhooks, keyRefs: "+ref) + routes, ""},
		"Custom SHA1":                      {"it is broken, and that is said", customEndpoint("scheme: HMAC, header: X-Sig, encoding: Hex, hash: SHA1, keyRefs: "+ref) + routes, "spec.provider.custom.signature.hash: must be SHA256, SHA384 or SHA512: MD5 and SHA1 are broken"},
		"Custom no body":                   {"what is not signed can be replaced", customEndpoint("scheme: HMAC, header: X-Sig, encoding: Hex, signed: [timestamp], keyRefs: "+ref) + routes, "spec.provider.custom.signature.signed: must hold body, once"},
		"Custom two bodies":                {"once is enough", customEndpoint("scheme: HMAC, header: X-Sig, encoding: Hex, signed: [body, body], keyRefs: "+ref) + routes, "spec.provider.custom.signature.signed: must hold body, once"},
		"Custom all":                       {"every field", customEndpoint("scheme: HMAC, header: X-Sig, encoding: Base64URL, signatureName: v1, timestampName: t, hash: SHA512, toleranceSeconds: 0, keyEncoding: Hex, signed: [timestamp, '.', body], keyRefs: "+ref) + routes, ""},
		"MailPace none":                    {"nothing could be verified", "provider: {type: MailPace, mailPace: {}}" + routes, "spec.provider.mailPace.publicKeys: Required"},
		"Nylas none":                       {"an endpoint without a key lets everybody in", "provider: {type: Nylas, nylas: {}}" + routes, "spec.provider.nylas.webhookSecretRefs: Required"},
		"MicrosoftGraph none":              {"an endpoint without a clientState lets everybody in", "provider: {type: MicrosoftGraph, microsoftGraph: {}}" + routes, "spec.provider.microsoftGraph.clientStateRefs: Required"},
		"MicrosoftGraph tokens":            {"of one tenant", "provider: {type: MicrosoftGraph, microsoftGraph: {clientStateRefs: " + ref + ", tenantIDs: ['00000000-0000-0000-0000-000000000000'], tokens: {audiences: [a]}}}" + routes, ""},
		"MicrosoftGraph anybody's tokens":  {"anybody's tenant makes tokens", "provider: {type: MicrosoftGraph, microsoftGraph: {clientStateRefs: " + ref + ", tokens: {audiences: [a]}}}" + routes, "spec.provider.microsoftGraph.tenantIDs: must be set where tokens is"},
		"MicrosoftGraph two keys":          {"which one is meant?", "provider: {type: MicrosoftGraph, microsoftGraph: {clientStateRefs: " + ref + ", decryptionKeys: [{certificateID: a, keyRef: {name: a, key: b}}, {certificateID: a, keyRef: {name: a, key: c}}]}}" + routes, "spec.provider.microsoftGraph.decryptionKeys[1]: Duplicate"},
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
		"Postmark":     "provider: {type: Postmark, postmark: {}}",
		"SparkPost":    "provider: {type: SparkPost, sparkPost: {}}",
		"Mailjet":      "provider: {type: Mailjet, mailjet: {}}",
		"SendGrid":     "provider: {type: SendGrid, sendGrid: {}}",
		"Mailgun":      mailgun(""),
		"Brevo":        "provider: {type: Brevo, brevo: {}}",
		"AmazonSES":    strings.Replace(amazonSES, "rawDelivery: false", "rawDelivery: true", 1),
	}
	tests := map[string]admissionCase{
		"AmazonSES raw":                   {"raw messages are not signed", unsigned["AmazonSES"] + routes, "spec.authentication: rawDelivery nothing is signed"},
		"AmazonSES raw, with a token":     {"another factor", unsigned["AmazonSES"] + routes + "\nauthentication: {pathToken: {secretRefs: " + ref + "}}", none},
		"AmazonSES raw, everywhere":       {"everybody is nobody in particular", unsigned["AmazonSES"] + routes + cidrs(whole), "spec.authentication.allowedCIDRs: /8 or longer"},
		"AmazonSES, not raw":              {"every message is signed", amazonSES + routes, none},
		"AmazonSES, not raw, everywhere":  {"every message is signed", amazonSES + routes + cidrs(whole), none},
		"EngageLab alone":                 {"it signs no body", unsigned["EngageLab"] + routes, "spec.authentication: bodyIntegrity to None"},
		"EngageLab with the word":         {"somebody knows", engageLab + routes, none},
		"EngageLab with another word":     {"there is no other", strings.Replace(engageLab, "None", "Body", 1) + routes, `spec.provider.engageLab.bodyIntegrity: "None"`},
		"EngageLab with a token":          {"a second factor", unsigned["EngageLab"] + routes + "\nauthentication: {pathToken: {secretRefs: " + ref + "}}", none},
		"EngageLab in Shadow":             {"it does not stay there", unsigned["EngageLab"] + routes + "\nverification: Shadow", "spec.authentication: bodyIntegrity to None"},
		"EngageLab, the word, everywhere": {"the word covers it", engageLab + routes + cidrs(whole), none},
		"signed and everywhere":           {"the signature is the factor", "provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: " + ref + "}}" + routes + cidrs(whole), none},
		"Mandrill and everywhere":         {"it always signs", mandrill("") + routes + cidrs(whole), none},
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

// customEndpoint is an endpoint of type Custom with a signature.
func customEndpoint(signature string) string {
	return "provider: {type: Custom, custom: {mapping: {type: item.event}, signature: {" + signature + "}}}"
}
