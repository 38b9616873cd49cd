package v1alpha1_test

import (
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestKafkaSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string { return "type: Kafka\nkafka: {brokers: ['kafka:9093'], " + more + "}" }
	oauth := func(more string) string {
		return sink("authentication: {oauth: {tokenURL: 'https://id.example.com/token', clientID: a, clientSecretRef: {name: a, key: b}, " + more + "}}")
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", "type: Kafka\nkafka: {brokers: ['a:1', '[2001:db8::1]:9093'], topic: 'mail.{type}', contentMode: Binary, compression: Zstd, idempotence: Disable, " +
			"maxRequestBytes: 16384, protocolVersion: '3.8', authentication: {plainRef: {name: a}}, tlsMode: Verify, tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: kafka.internal}}", ""},
		"least":          {"all else has defaults", sink(""), ""},
		"without TLS":    {"a broker may be on the same machine", sink("tlsMode: Disable, authentication: {scramSHA256Ref: {name: a}}"), ""},
		"Event Hubs":     {"the user has this name", sink("compression: None, authentication: {plainRef: {name: eventhubs}}"), ""},
		"token":          {"all of it", oauth("scopes: ['https://a.servicebus.windows.net/.default', b], extensions: [{name: logicalCluster, value: lkc-1}], caRefs: [{name: a, key: b}]"), ""},
		"IAM":            {"a temporary key", sink("authentication: {awsIAM: {accessKeyID: AKIAIOSFODNN7EXAMPLE, secretAccessKeyRef: {name: a, key: b}, sessionTokenRef: {name: a, key: c}}}"), ""},
		"literal topic":  {"the longest", sink("topic: a." + "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), ""},
		"no brokers":     {"required", "type: Kafka\nkafka: {}", "spec.kafka.brokers: Required"},
		"no port":        {"there is no default", "type: Kafka\nkafka: {brokers: [kafka]}", "spec.kafka.brokers[0]: should match"},
		"URL":            {"a credential belongs in a Secret", "type: Kafka\nkafka: {brokers: ['u:p@kafka:9093']}", "spec.kafka.brokers[0]: should match"},
		"attribute":      {"a typing error is no literal", sink("topic: 'mail.{name}'"), "spec.kafka.topic: should match"},
		"dots":           {"Kafka takes no such name", sink("topic: '..'"), "spec.kafka.topic: must not be . or .."},
		"mode":           {"Kafka has no batched mode", sink("contentMode: Batched"), `spec.kafka.contentMode: "Binary"`},
		"compression":    {"enum", sink("compression: Brotli"), `spec.kafka.compression: "Gzip"`},
		"idempotence":    {"enum", sink("idempotence: Require"), `spec.kafka.idempotence: "Disable"`},
		"small requests": {"bounds", sink("maxRequestBytes: 1"), "spec.kafka.maxRequestBytes: greater than or equal to 16384"},
		"large requests": {"bounds", sink("maxRequestBytes: 104857601"), "spec.kafka.maxRequestBytes: less than or equal to 104857600"},
		"version":        {"it is one of Kafka", sink("protocolVersion: '10.0'"), "spec.kafka.protocolVersion: should match"},
		"two ways":       {"which one is meant?", sink("authentication: {plainRef: {name: a}, scramSHA512Ref: {name: a}}"), "spec.kafka.authentication: must have at most 1"},
		"no way":         {"it says nothing", sink("authentication: {}"), "spec.kafka.authentication: should have at least 1"},
		"no secret":      {"required", sink("authentication: {oauth: {tokenURL: 'https://a/token', clientID: a}}"), "spec.kafka.authentication.oauth.clientSecretRef: Required"},
		"user in a URL":  {"it would be in errors", sink("authentication: {oauth: {tokenURL: 'https://u:p@a/token', clientID: a, clientSecretRef: {name: a, key: b}}}"), "spec.kafka.authentication.oauth.tokenURL: must be an absolute http or https URL"},
		"scope":          {"they are joined by blanks", oauth("scopes: ['a b']"), "spec.kafka.authentication.oauth.scopes[0]: should match"},
		"extension":      {"it is the token", oauth("extensions: [{name: auth, value: a}]"), "spec.kafka.authentication.oauth.extensions[0].name: must not be auth"},
		"half a key":     {"it signs nothing", sink("authentication: {awsIAM: {accessKeyID: A}}"), "spec.kafka.authentication.awsIAM.secretAccessKeyRef: Required"},
		"tls mode":       {"enum; there is no way to leave a certificate unverified", sink("tlsMode: Prefer"), `spec.kafka.tlsMode: "Disable"`},
		"tls disabled":   {"which one is meant?", sink("tlsMode: Disable, tls: {serverName: a}"), "spec.kafka.tls: must not be set when tlsMode is Disable"},
	})
}
