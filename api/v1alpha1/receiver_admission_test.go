package v1alpha1_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func withReceiver(receiver string) string {
	return engageLab + routes + "\nreceiver: " + receiver
}

func TestReceiver(t *testing.T) {
	t.Parallel()

	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"empty":                    {"a receiver of its own, like the defaults", withReceiver("{}"), ""},
		"replicas":                 {"a number", withReceiver("{replicas: 3}"), ""},
		"no replicas":              {"pausing is spec.state", withReceiver("{replicas: 0}"), "spec.receiver.replicas: greater than or equal to 1"},
		"many replicas":            {"bounded", withReceiver("{replicas: 101}"), "spec.receiver.replicas: less than or equal to 100"},
		"autoscaling":              {"its other fields have defaults", withReceiver("{autoscaling: {maxReplicas: 9}}"), ""},
		"autoscaling and replicas": {"one of them decides", withReceiver("{replicas: 2, autoscaling: {maxReplicas: 9}}"), "spec.receiver.replicas: must not be set together with autoscaling"},
		"autoscaling without end":  {"required", withReceiver("{autoscaling: {minReplicas: 1}}"), "spec.receiver.autoscaling.maxReplicas: Required"},
		"more than the most":       {"the smallest is not the largest", withReceiver("{autoscaling: {minReplicas: 3, maxReplicas: 2}}"), "spec.receiver.autoscaling.minReplicas: must not be more than maxReplicas"},
		"no CPU at all":            {"bounded", withReceiver("{autoscaling: {maxReplicas: 2, targetCPUUtilizationPercentage: 0}}"), "spec.receiver.autoscaling.targetCPUUtilizationPercentage: greater than or equal to 1"},

		"resources":              {"as of a pod", withReceiver("{resources: {requests: {cpu: 500m, memory: 256Mi}, limits: {cpu: 2, memory: 2Gi}}}"), ""},
		"resources of nothing":   {"an empty field is left out", withReceiver("{resources: {}}"), "spec.receiver.resources: at least 1"},
		"requests of nothing":    {"an empty field is left out", withReceiver("{resources: {requests: {}}}"), "spec.receiver.resources.requests: at least 1"},
		"CPU above its limit":    {"no pod could have it", withReceiver("{resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}}"), "spec.receiver.resources.requests.cpu: must not be more than limits.cpu"},
		"memory above its limit": {"no pod could have it", withReceiver("{resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}}"), "spec.receiver.resources.requests.memory: must not be more than limits.memory"},
		"no CPU":                 {"bounded", withReceiver("{resources: {requests: {cpu: 0}}}"), "spec.receiver.resources.requests.cpu: must be between 1m and 1000"},
		"little memory":          {"bounded", withReceiver("{resources: {limits: {memory: 1Mi}}}"), "spec.receiver.resources.limits.memory: must be between 64Mi and 16Ti"},

		"trusted proxies":         {"ranges of both families", withReceiver("{trustedProxies: [10.0.0.0/8, '2001:db8::/32']}"), ""},
		"no trusted proxies":      {"an empty field is left out", withReceiver("{trustedProxies: []}"), "spec.receiver.trustedProxies: at least 1"},
		"a proxy's bare address":  {"a range, as in allowedCIDRs", withReceiver("{trustedProxies: [10.0.0.1]}"), "spec.receiver.trustedProxies[0]: must be a range of addresses"},
		"a trusted proxy twice":   {"a set", withReceiver("{trustedProxies: [10.0.0.0/8, 10.0.0.0/8]}"), "spec.receiver.trustedProxies[1]: Duplicate"},
		"a trusted proxy by name": {"an address, not a name", withReceiver("{trustedProxies: [proxy.example.com]}"), "spec.receiver.trustedProxies[0]: must be a range of addresses"},

		"placement": {"as of a pod", withReceiver("{placement: {nodeSelector: {kubernetes.io/arch: arm64}, priorityClassName: high, " +
			"tolerations: [{key: a, value: b, effect: NoExecute, tolerationSeconds: 5}, {operator: Exists}]}}"), ""},
		"a label without a value":   {"as a node may have it", withReceiver("{placement: {nodeSelector: {node-role.example.com/mail: ''}}}"), ""},
		"no key of a label":         {"the API server would refuse the pods", withReceiver("{placement: {nodeSelector: {'a b': c}}}"), "spec.receiver.placement.nodeSelector: keys must be those of labels"},
		"a key with two slashes":    {"the API server would refuse the pods", withReceiver("{placement: {nodeSelector: {a/b/c: d}}}"), "spec.receiver.placement.nodeSelector: keys must be those of labels"},
		"no value of a label":       {"the API server would refuse the pods", withReceiver("{placement: {nodeSelector: {a: 'b c'}}}"), "spec.receiver.placement.nodeSelector.a: should match"},
		"placement of nothing":      {"an empty field is left out", withReceiver("{placement: {}}"), "spec.receiver.placement: at least 1"},
		"toleration of nothing":     {"an empty field is left out", withReceiver("{placement: {tolerations: [{}]}}"), "spec.receiver.placement.tolerations[0]: at least 1"},
		"toleration without key":    {"it would match nothing", withReceiver("{placement: {tolerations: [{value: b}]}}"), "spec.receiver.placement.tolerations[0].key: unless operator is Exists"},
		"toleration of every value": {"it compares no value", withReceiver("{placement: {tolerations: [{key: a, operator: Exists, value: b}]}}"), "spec.receiver.placement.tolerations[0].value: must not be set when operator is Exists"},
		"toleration for a while":    {"only NoExecute puts a pod off", withReceiver("{placement: {tolerations: [{key: a, tolerationSeconds: 5}]}}"), "spec.receiver.placement.tolerations[0].tolerationSeconds: unless effect is NoExecute"},
		"toleration operator":       {"enum", withReceiver("{placement: {tolerations: [{key: a, operator: In}]}}"), `spec.receiver.placement.tolerations[0].operator: "Exists"`},
		"toleration effect":         {"enum", withReceiver("{placement: {tolerations: [{key: a, effect: Never}]}}"), `spec.receiver.placement.tolerations[0].effect: "NoSchedule"`},
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()

	withHistory := func(history string) string { return withReceiver("{history: " + history + "}") }
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"embedded":        {"a time and a size", withHistory("{type: Embedded, maxAge: 720h, maxBytes: 20Gi}"), ""},
		"none":            {"it is not wanted", withHistory("{type: None}"), ""},
		"no type":         {"required", withHistory("{maxAge: 72h}"), "spec.receiver.history.type: Required"},
		"another type":    {"enum", withHistory("{type: PostgreSQL}"), `spec.receiver.history.type: "Embedded"`},
		"days":            {"hours alone", withHistory("{type: Embedded, maxAge: 3d}"), "spec.receiver.history.maxAge: should match"},
		"no time at all":  {"None says so", withHistory("{type: Embedded, maxAge: 0h}"), "spec.receiver.history.maxAge: should match"},
		"no space at all": {"None says so", withHistory("{type: Embedded, maxBytes: 1Mi}"), "spec.receiver.history.maxBytes: must be between 64Mi and 16Ti"},
	})
}

func withJournal(journal string) string { return withReceiver("{journal: " + journal + "}") }

func TestJournal(t *testing.T) {
	t.Parallel()

	const nats = "{type: JetStream, jetStream: {urls: ['nats://a:4222'], %s}}"
	jetStream := func(more string) string { return withJournal(fmt.Sprintf(nats, more)) }
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"embedded":              {"its settings have defaults", withJournal("{type: Embedded}"), ""},
		"claims":                {"a size and a class", withJournal("{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 50Gi, storageClassName: fast}}"), ""},
		"no type":               {"required", withJournal("{embedded: {}}"), "spec.receiver.journal.type: Required"},
		"another type":          {"enum", withJournal("{type: Kafka}"), `spec.receiver.journal.type: "Embedded"`},
		"embedded of JetStream": {"the member that type names", withJournal("{type: JetStream, embedded: {}, jetStream: {urls: ['nats://a:4222']}}"), "spec.receiver.journal.embedded: unless type is Embedded"},
		"JetStream of embedded": {"the member that type names", withJournal("{type: Embedded, jetStream: {urls: ['nats://a:4222']}}"), "spec.receiver.journal.jetStream: unless type is JetStream"},
		"JetStream nowhere":     {"nobody knows where", withJournal("{type: JetStream}"), "spec.receiver.journal.jetStream: when type is JetStream"},
		"class of nothing":      {"there is no claim", withJournal("{type: Embedded, embedded: {storageClassName: fast}}"), "spec.receiver.journal.embedded.storageClassName: unless persistence is PersistentVolumeClaim"},
		"persistence":           {"enum", withJournal("{type: Embedded, embedded: {persistence: HostPath}}"), `spec.receiver.journal.embedded.persistence: "Ephemeral"`},
		"small":                 {"bounded", withJournal("{type: Embedded, embedded: {size: 100Mi}}"), "spec.receiver.journal.embedded.size: must be between 1Gi and 64Ti"},
		"autoscaled claims": {
			"what a removed pod holds would wait", withReceiver("{autoscaling: {maxReplicas: 3}, journal: {type: Embedded, embedded: {persistence: PersistentVolumeClaim}}}"),
			"spec.receiver.autoscaling: must not be set together with PersistentVolumeClaims",
		},
		"autoscaled, on the node": {"pods hand off what they hold", withReceiver("{autoscaling: {maxReplicas: 3}, journal: {type: Embedded}}"), ""},

		"JetStream": {"all of it", jetStream("stream: mail_A-1, replicas: 5, credentialsRef: {name: a, key: b}, tls: {caRef: {name: a, key: ca.crt}, secretRef: {name: b}}"), ""},
		"no server": {"required", withJournal("{type: JetStream, jetStream: {urls: []}}"), "spec.receiver.journal.jetStream.urls: at least 1"},
		"a password in the URL": {
			"credentials are in Secrets", withJournal("{type: JetStream, jetStream: {urls: ['nats://user:pass@a:4222']}}"),
			"spec.receiver.journal.jetStream.urls[0]: should match",
		},
		"the same server twice": {"a set", withJournal("{type: JetStream, jetStream: {urls: ['nats://a:4222', 'nats://a:4222']}}"), "spec.receiver.journal.jetStream.urls[1]: Duplicate"},
		"a stream with dots":    {"a dot separates subjects", jetStream("stream: a.b"), "spec.receiver.journal.jetStream.stream: should match"},
		"two replicas":          {"two are no majority", jetStream("replicas: 2"), "spec.receiver.journal.jetStream.replicas: supported values"},
		"TLS of nothing":        {"an empty field is left out", jetStream("tls: {}"), "spec.receiver.journal.jetStream.tls: at least 1"},
	})
}

func TestReceiverDefaults(t *testing.T) {
	t.Parallel()

	for given, want := range map[string]string{
		"{}":                              "{}",
		"{history: {type: Embedded}}":     "{history: {type: Embedded, maxAge: 72h, maxBytes: 2Gi}}",
		"{autoscaling: {maxReplicas: 9}}": "{autoscaling: {minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70}}",
		"{journal: {type: Embedded, embedded: {}}}":                          "{journal: {type: Embedded, embedded: {persistence: Ephemeral, size: 10Gi}}}",
		"{journal: {type: JetStream, jetStream: {urls: ['nats://a:4222']}}}": "{journal: {type: JetStream, jetStream: {urls: ['nats://a:4222'], replicas: 3}}}",
	} {
		object, errs := create(t, v1alpha1.WebhookEndpointKind, withReceiver(given))
		if len(errs) != 0 {
			t.Fatal(errs.ToAggregate())
		}
		expected := decode(t, v1alpha1.WebhookEndpointKind, withReceiver(want))
		if diff := cmp.Diff(expected["spec"].(map[string]any)["receiver"], object["spec"].(map[string]any)["receiver"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", given, diff)
		}
	}
}

// TestJournalsThatCannotChange changes what is in claims and streams that are there already.
func TestJournalsThatCannotChange(t *testing.T) {
	t.Parallel()

	const (
		claims = "{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 50Gi, storageClassName: fast}}"
		nats   = "{type: JetStream, jetStream: {urls: ['nats://a:4222'], stream: mail}}"
		named  = "{type: JetStream, jetStream: {urls: ['nats://a:4222']}}"
	)
	for name, tc := range map[string]struct{ old, change, want string }{
		"a larger claim":       {claims, "{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 60Gi, storageClassName: fast}}", "spec.receiver.journal.embedded.size: must not be changed"},
		"the same size":        {claims, "{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 51200Mi, storageClassName: fast}}", ""},
		"another class":        {claims, "{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 50Gi, storageClassName: slow}}", "spec.receiver.journal.embedded.storageClassName: must not be changed"},
		"no class":             {claims, "{type: Embedded, embedded: {persistence: PersistentVolumeClaim, size: 50Gi}}", "spec.receiver.journal.embedded.storageClassName: must not be changed"},
		"no claim":             {claims, "{type: Embedded, embedded: {size: 60Gi}}", ""},
		"another stream":       {nats, "{type: JetStream, jetStream: {urls: ['nats://a:4222'], stream: other}}", "spec.receiver.journal.jetStream.stream: must not be changed"},
		"a stream after all":   {named, nats, "spec.receiver.journal.jetStream.stream: must not be changed"},
		"another server":       {nats, "{type: JetStream, jetStream: {urls: ['nats://b:4222'], stream: mail}}", ""},
		"from claims to NATS":  {claims, nats, ""},
		"a larger node's disk": {"{type: Embedded, embedded: {size: 5Gi}}", "{type: Embedded, embedded: {size: 6Gi}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			old, errs := create(t, v1alpha1.WebhookEndpointKind, withJournal(tc.old))
			if len(errs) != 0 {
				t.Fatal(errs.ToAggregate())
			}
			review := newJudge(t).Update(t, decode(t, v1alpha1.WebhookEndpointKind, withJournal(tc.change)), old)
			checkErrors(t, name, tc.want, review.Errors)
		})
	}
}
