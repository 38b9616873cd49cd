package v1alpha1_test

import (
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestRabbitMQSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: RabbitMQ\nrabbitMQ: {addresses: ['rabbitmq:5671'], basicRef: {name: a}, " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", "type: RabbitMQ\nrabbitMQ: {addresses: ['a:1', '[2001:db8::1]:5671'], virtualHost: mail, exchange: events, routingKey: 'mail.{type}', contentMode: Binary, " +
			"basicRef: {name: a}, tlsMode: Verify, tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: rabbitmq.internal}}", ""},
		"least":          {"all else has defaults", sink(""), ""},
		"without TLS":    {"a server may be on the same machine", sink("tlsMode: Disable"), ""},
		"certificate":    {"it shows who the sink is", "type: RabbitMQ\nrabbitMQ: {addresses: ['rabbitmq:5671'], tls: {secretRef: {name: a}}}", ""},
		"nobody":         {"RabbitMQ knows who publishes", "type: RabbitMQ\nrabbitMQ: {addresses: ['rabbitmq:5671']}", "spec.rabbitMQ: basicRef must be set, or tls.secretRef"},
		"authority only": {"it shows nobody", "type: RabbitMQ\nrabbitMQ: {addresses: ['rabbitmq:5671'], tls: {serverName: a}}", "spec.rabbitMQ: basicRef must be set, or tls.secretRef"},
		"no addresses":   {"required", "type: RabbitMQ\nrabbitMQ: {basicRef: {name: a}}", "spec.rabbitMQ.addresses: Required"},
		"no port":        {"there is no default", "type: RabbitMQ\nrabbitMQ: {addresses: [rabbitmq], basicRef: {name: a}}", "spec.rabbitMQ.addresses[0]: should match"},
		"URL":            {"a credential belongs in a Secret", "type: RabbitMQ\nrabbitMQ: {addresses: ['amqp://u:p@rabbitmq:5671'], basicRef: {name: a}}", "spec.rabbitMQ.addresses[0]: should match"},
		"exchange":       {"a name is a name", sink("exchange: 'a b'"), "spec.rabbitMQ.exchange: should match"},
		"attribute":      {"a typing error is no literal", sink("routingKey: 'mail.{name}'"), "spec.rabbitMQ.routingKey: should match"},
		"wildcard":       {"nobody publishes to one", sink("routingKey: 'mail.#'"), "spec.rabbitMQ.routingKey: should match"},
		"mode":           {"AMQP has no batched mode", sink("contentMode: Batched"), `spec.rabbitMQ.contentMode: "Binary"`},
		"tls mode":       {"enum; there is no way to leave a certificate unverified", sink("tlsMode: Prefer"), `spec.rabbitMQ.tlsMode: "Disable"`},
		"tls disabled":   {"which one is meant?", sink("tlsMode: Disable, tls: {serverName: a}"), "spec.rabbitMQ.tls: must not be set when tlsMode is Disable"},
	})
}
