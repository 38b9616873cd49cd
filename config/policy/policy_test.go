// Package policy_test asks a real API server, as users with few rights, for what the manager would do for them.
package policy_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/test/controlplane"
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

// author is a user who may write Mailvane's kinds in a namespace of his own, and what else he is given.
type author struct {
	namespace string
	client    client.Client
}

func newAuthor(t *testing.T, rights ...rbacv1.PolicyRule) *author {
	t.Helper()
	namespace := cluster.Namespace(t)
	role := &rbacv1.Role{Rules: append(rights, rbacv1.PolicyRule{
		APIGroups: []string{v1alpha1.Group}, Resources: []string{"webhookendpoints", "eventsinks"}, Verbs: []string{"create", "get", "list", "patch", "update"},
	})}
	role.Namespace, role.Name = namespace, "author"
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: namespace}},
	}
	binding.Namespace, binding.Name = namespace, role.Name
	for _, o := range []client.Object{role, binding} {
		if err := cluster.Client(t).Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	config := cluster.Config(t)
	config.Impersonate = rest.ImpersonationConfig{UserName: namespace, Groups: []string{"system:authenticated"}}
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &author{namespace, c}
}

func may(group, resource, verb string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{verb}, ResourceNames: names}
}

// object returns an object with a spec in YAML.
func (a *author) object(t *testing.T, kind, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	text := "apiVersion: mailvane.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: test}\nspec: " + spec
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	u.SetNamespace(a.namespace)
	return u
}

// create returns why an object is refused. Roles and bindings take a moment to be known, as a policy does.
func (a *author) create(t *testing.T, kind, spec string) error {
	t.Helper()
	return settled(t, func() error { return a.client.Create(t.Context(), a.object(t, kind, spec), client.DryRunAll) })
}

// settled asks until the user may write the kinds at all.
func settled(t *testing.T, ask func() error) error {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// install applies the policies and waits until they are in force.
func install(t *testing.T) {
	t.Helper()
	cluster.Kubectl(t, "apply", "--server-side", "--force-conflicts", "-k", ".")
	probe := newAuthor(t)
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for probe.create(t, v1alpha1.EventSinkKind, sinkWith("secretRef: {name: probe, key: k}")) == nil ||
		probe.create(t, v1alpha1.WebhookEndpointKind, endpointWith("receiver: {}")) == nil {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the policies are not in force")
		}
	}
}

func sinkWith(value string) string {
	return "{type: HTTP, http: {url: 'https://example.com', headers: [{name: X-Key, " + value + "}]}}"
}

// endpointWith returns an endpoint that names no Secret by itself.
func endpointWith(more string) string {
	return "{provider: {type: MailChannels, mailChannels: {customerHandles: [abc123]}}, routes: [{name: a, sinkRef: {name: b}}], " + more + "}"
}

const (
	ref  = "{name: target, key: k}"
	refs = "[" + ref + "]"
)

// referring returns, for each field of the API that names Secrets, an object in which it names Secret target.
func referring() map[string]string {
	receiver := func(tls string) string {
		return endpointWith("receiver: {journal: {type: JetStream, jetStream: {urls: ['nats://nats:4222'], " + tls + "}}}")
	}
	provider := func(name, member, settings string) string {
		return "{provider: {type: " + name + ", " + member + ": {" + settings + "}}, routes: [{name: a, sinkRef: {name: b}}]}"
	}
	nats := func(more string) string { return "{type: NATS, nats: {urls: ['nats://nats:4222'], " + more + "}}" }
	postgreSQL := func(more string) string {
		return "{type: PostgreSQL, postgreSQL: {hosts: [db], database: mail, " + more + "}}"
	}
	sns := func(more string) string {
		return "{type: SNS, sns: {topicARN: 'arn:aws:sns:eu-west-1:123456789012:mail', " + more + "}}"
	}
	list := func(store, more string) string {
		of := map[string]string{"postgreSQL": "hosts: [db], database: mail, ", "redis": "addresses: ['redis:6379'], "}[store]
		return "{type: Suppression, suppression: {" + store + ": {" + of + more + "}}}"
	}
	pubSub := func(more string) string {
		return "{type: PubSub, pubSub: {topic: projects/mail-1234/topics/mail-events, " + more + "}}"
	}
	bridge := func(more string) string {
		return "{type: EventBridge, eventBridge: {busARN: 'arn:aws:events:eu-west-1:123456789012:event-bus/mail', " + more + "}}"
	}
	sqs := func(more string) string {
		return "{type: SQS, sqs: {queueURL: 'https://sqs.internal/1/mail', region: eu-west-1, " + more + "}}"
	}
	s3 := func(more string) string { return "{type: S3, s3: {bucket: events, region: eu-west-1, " + more + "}}" }
	redis := func(more string) string { return "{type: Redis, redis: {addresses: ['redis:6379'], " + more + "}}" }
	kafka := func(more string) string { return "{type: Kafka, kafka: {brokers: ['kafka:9093'], " + more + "}}" }
	rabbitMQ := func(more string) string {
		return "{type: RabbitMQ, rabbitMQ: {addresses: ['rabbitmq:5671'], " + more + "}}"
	}
	oauth := func(secret, more string) string {
		return kafka("authentication: {oauth: {tokenURL: 'https://a/token', clientID: a, clientSecretRef: " + secret + more + "}}")
	}
	return map[string]string{
		"WebhookEndpoint spec.provider.webexConnect.hubSecretRefs":         provider("WebexConnect", "webexConnect", "hubSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.emailEngine.serviceSecretRefs":      provider("EmailEngine", "emailEngine", "serviceSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.engageLab.appKeyRefs":               provider("EngageLab", "engageLab", "bodyIntegrity: None, appKeyRefs: "+refs),
		"WebhookEndpoint spec.provider.mailgun.signingKeyRefs":             provider("Mailgun", "mailgun", "bodyIntegrity: None, signingKeyRefs: "+refs),
		"WebhookEndpoint spec.authentication.pathToken.secretRefs":         endpointWith("authentication: {pathToken: {secretRefs: " + refs + "}}"),
		"WebhookEndpoint spec.authentication.basic.secretRefs":             endpointWith("authentication: {basic: {secretRefs: [{name: target}]}}"),
		"WebhookEndpoint spec.authentication.header.secretRefs":            endpointWith("authentication: {header: {name: X-Key, secretRefs: " + refs + "}}"),
		"WebhookEndpoint spec.receiver.journal.jetStream.credentialsRef":   receiver("credentialsRef: " + ref),
		"WebhookEndpoint spec.receiver.journal.jetStream.tls.caRef":        receiver("tls: {caRef: " + ref + "}"),
		"WebhookEndpoint spec.receiver.journal.jetStream.tls.secretRef":    receiver("tls: {secretRef: {name: target}}"),
		"EventSink spec.http.urlSecretRef":                                 "{type: HTTP, http: {urlSecretRef: " + ref + "}}",
		"EventSink spec.http.signingSecretRefs":                            "{type: HTTP, http: {url: 'https://example.com', signingSecretRefs: " + refs + "}}",
		"EventSink spec.http.tls.caRefs":                                   "{type: HTTP, http: {url: 'https://example.com', tls: {caRefs: " + refs + "}}}",
		"EventSink spec.http.tls.secretRef":                                "{type: HTTP, http: {url: 'https://example.com', tls: {secretRef: {name: target}}}}",
		"EventSink spec.nats.authentication.basicRef":                      nats("authentication: {basicRef: {name: target}}"),
		"EventSink spec.nats.authentication.tokenRef":                      nats("authentication: {tokenRef: " + ref + "}"),
		"EventSink spec.nats.authentication.nkeySeedRef":                   nats("authentication: {nkeySeedRef: " + ref + "}"),
		"EventSink spec.nats.authentication.credentialsRef":                nats("authentication: {credentialsRef: " + ref + "}"),
		"EventSink spec.nats.tls.caRefs":                                   nats("tls: {caRefs: " + refs + "}"),
		"EventSink spec.nats.tls.secretRef":                                nats("tls: {secretRef: {name: target}}"),
		"EventSink spec.postgreSQL.basicRef":                               postgreSQL("basicRef: {name: target}"),
		"EventSink spec.postgreSQL.tls.caRefs":                             postgreSQL("username: u, tls: {caRefs: " + refs + "}"),
		"EventSink spec.postgreSQL.tls.secretRef":                          postgreSQL("username: u, tls: {secretRef: {name: target}}"),
		"EventSink spec.kafka.authentication.plainRef":                     kafka("authentication: {plainRef: {name: target}}"),
		"EventSink spec.kafka.authentication.scramSHA256Ref":               kafka("authentication: {scramSHA256Ref: {name: target}}"),
		"EventSink spec.kafka.authentication.scramSHA512Ref":               kafka("authentication: {scramSHA512Ref: {name: target}}"),
		"EventSink spec.kafka.authentication.oauth.clientSecretRef":        oauth(ref, ""),
		"EventSink spec.kafka.authentication.oauth.caRefs":                 oauth(ref, ", caRefs: "+refs),
		"EventSink spec.kafka.authentication.awsIAM.secretAccessKeyRef":    kafka("authentication: {awsIAM: {accessKeyID: A, secretAccessKeyRef: " + ref + "}}"),
		"EventSink spec.kafka.authentication.awsIAM.sessionTokenRef":       kafka("authentication: {awsIAM: {accessKeyID: A, secretAccessKeyRef: " + ref + ", sessionTokenRef: " + ref + "}}"),
		"EventSink spec.kafka.tls.caRefs":                                  kafka("tls: {caRefs: " + refs + "}"),
		"EventSink spec.kafka.tls.secretRef":                               kafka("tls: {secretRef: {name: target}}"),
		"EventSink spec.s3.authentication.accessKeyIDRef":                  s3("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.s3.authentication.secretAccessKeyRef":              s3("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.s3.authentication.sessionTokenRef":                 s3("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + ", sessionTokenRef: " + ref + "}"),
		"EventSink spec.s3.tls.caRefs":                                     s3("endpoint: 'https://s3.internal', tls: {caRefs: " + refs + "}"),
		"EventSink spec.s3.tls.secretRef":                                  s3("endpoint: 'https://s3.internal', tls: {secretRef: {name: target}}"),
		"EventSink spec.sqs.authentication.accessKeyIDRef":                 sqs("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.sqs.authentication.secretAccessKeyRef":             sqs("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.sqs.authentication.sessionTokenRef":                sqs("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + ", sessionTokenRef: " + ref + "}"),
		"EventSink spec.sqs.tls.caRefs":                                    sqs("endpoint: 'https://s3.internal', tls: {caRefs: " + refs + "}"),
		"EventSink spec.sqs.tls.secretRef":                                 sqs("endpoint: 'https://s3.internal', tls: {secretRef: {name: target}}"),
		"EventSink spec.eventBridge.authentication.accessKeyIDRef":         bridge("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.eventBridge.authentication.secretAccessKeyRef":     bridge("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.eventBridge.authentication.sessionTokenRef":        bridge("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + ", sessionTokenRef: " + ref + "}"),
		"EventSink spec.eventBridge.tls.caRefs":                            bridge("endpoint: 'https://s3.internal', tls: {caRefs: " + refs + "}"),
		"EventSink spec.eventBridge.tls.secretRef":                         bridge("endpoint: 'https://s3.internal', tls: {secretRef: {name: target}}"),
		"EventSink spec.suppression.postgreSQL.basicRef":                   list("postgreSQL", "basicRef: {name: target}"),
		"EventSink spec.suppression.postgreSQL.tls.caRefs":                 list("postgreSQL", "username: a, tls: {caRefs: "+refs+"}"),
		"EventSink spec.suppression.postgreSQL.tls.secretRef":              list("postgreSQL", "username: a, tls: {secretRef: {name: target}}"),
		"EventSink spec.suppression.redis.basicRef":                        list("redis", "basicRef: {name: target}"),
		"EventSink spec.suppression.redis.passwordRef":                     list("redis", "passwordRef: "+ref),
		"EventSink spec.suppression.redis.tls.caRefs":                      list("redis", "tls: {caRefs: "+refs+"}"),
		"EventSink spec.suppression.redis.tls.secretRef":                   list("redis", "tls: {secretRef: {name: target}}"),
		"EventSink spec.pubSub.serviceAccountKeyRef":                       pubSub("serviceAccountKeyRef: " + ref),
		"EventSink spec.pubSub.tls.caRefs":                                 pubSub("endpoint: 'https://pubsub.internal', tls: {caRefs: " + refs + "}"),
		"EventSink spec.pubSub.tls.secretRef":                              pubSub("endpoint: 'https://pubsub.internal', tls: {secretRef: {name: target}}"),
		"EventSink spec.sns.authentication.accessKeyIDRef":                 sns("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.sns.authentication.secretAccessKeyRef":             sns("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + "}"),
		"EventSink spec.sns.authentication.sessionTokenRef":                sns("authentication: {accessKeyIDRef: " + ref + ", secretAccessKeyRef: " + ref + ", sessionTokenRef: " + ref + "}"),
		"EventSink spec.sns.tls.caRefs":                                    sns("endpoint: 'https://s3.internal', tls: {caRefs: " + refs + "}"),
		"EventSink spec.sns.tls.secretRef":                                 sns("endpoint: 'https://s3.internal', tls: {secretRef: {name: target}}"),
		"EventSink spec.rabbitMQ.basicRef":                                 rabbitMQ("basicRef: {name: target}"),
		"EventSink spec.rabbitMQ.tls.caRefs":                               rabbitMQ("basicRef: {name: target}, tls: {caRefs: " + refs + "}"),
		"EventSink spec.rabbitMQ.tls.secretRef":                            rabbitMQ("tls: {secretRef: {name: target}}"),
		"EventSink spec.redis.basicRef":                                    redis("basicRef: {name: target}"),
		"EventSink spec.redis.passwordRef":                                 redis("passwordRef: " + ref),
		"EventSink spec.redis.tls.caRefs":                                  redis("tls: {caRefs: " + refs + "}"),
		"EventSink spec.redis.tls.secretRef":                               redis("tls: {secretRef: {name: target}}"),
		"EventSink spec.content.hashKeyRef":                                "{type: Stdout, content: {raw: Drop, fields: [{name: recipient, as: Hash}], hashKeyRef: " + ref + "}}",
		"EventSink spec.http.headers[].secretRef":                          sinkWith("secretRef: " + ref),
		"WebhookEndpoint spec.provider.resend.signingSecretRefs":           provider("Resend", "resend", "signingSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.standardWebhooks.signingSecretRefs": provider("StandardWebhooks", "standardWebhooks", "signingSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.mailerSend.signingSecretRefs":       provider("MailerSend", "mailerSend", "signingSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.custom.signature.keyRefs":           provider("Custom", "custom", "mapping: {type: item.event}, signature: {scheme: HMAC, header: X-Sig, encoding: Hex, keyRefs: "+refs+"}"),
		"WebhookEndpoint spec.provider.unisenderGo.apiKeyRefs":             provider("UnisenderGo", "unisenderGo", "apiKeyRefs: "+refs),
		"WebhookEndpoint spec.provider.mailtrap.signingSecretRefs":         provider("Mailtrap", "mailtrap", "signingSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.customerIO.signingKeyRefs":          provider("CustomerIO", "customerIO", "signingKeyRefs: "+refs),
		"WebhookEndpoint spec.provider.loops.signingSecretRefs":            provider("Loops", "loops", "signingSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.mandrill.webhookKeyRefs":            provider("Mandrill", "mandrill", "webhookKeyRefs: "+refs),

		"WebhookEndpoint spec.registration.apiKeyRef":                          endpointWith("registration: {apiKeyRef: " + ref + "}"),
		"WebhookEndpoint spec.provider.nylas.webhookSecretRefs":                provider("Nylas", "nylas", "webhookSecretRefs: "+refs),
		"WebhookEndpoint spec.provider.microsoftGraph.clientStateRefs":         provider("MicrosoftGraph", "microsoftGraph", "clientStateRefs: "+refs),
		"WebhookEndpoint spec.provider.microsoftGraph.decryptionKeys[].keyRef": provider("MicrosoftGraph", "microsoftGraph", "clientStateRefs: "+refs+", decryptionKeys: [{certificateID: a, keyRef: "+ref+"}]"),
	}
}

// secretFields returns the fields of the API that end like references and do not name another object. A new one that is missing above fails the
// test; one that the policies do not know does as well, since its case is not refused.
func secretFields(t *testing.T, path string, typ reflect.Type) []string {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[v1alpha1.WebhookEndpoint]().PkgPath() {
		return nil
	}
	var all []string
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		at, of := path+"."+name, field.Type
		switch {
		case name == "sinkRef", name == "parentRefs": // which are no Secrets
		case strings.HasSuffix(name, "Ref"), strings.HasSuffix(name, "Refs"):
			all = append(all, at)
		case of.Kind() == reflect.Slice:
			all = append(all, secretFields(t, at+"[]", of.Elem())...)
		default:
			all = append(all, secretFields(t, at, of)...)
		}
	}
	return all
}

// TestEveryReferenceIsAskedAbout names, in each field of the API that can, a Secret that the author may not read, and one that he may.
func TestEveryReferenceIsAskedAbout(t *testing.T) {
	t.Parallel()
	install(t)
	fields := secretFields(t, "WebhookEndpoint spec", reflect.TypeFor[v1alpha1.WebhookEndpointSpec]())
	fields = append(fields, secretFields(t, "EventSink spec", reflect.TypeFor[v1alpha1.EventSinkSpec]())...)
	cases := referring()
	for _, field := range fields {
		if cases[field] == "" {
			t.Errorf("%s: add a case to this test", field)
		}
	}
	deployments := may("apps", "deployments", "create")
	for field, spec := range cases {
		if !slices.Contains(fields, field) {
			t.Errorf("there is no field %s", field)
		}
		kind, _, _ := strings.Cut(field, " ")
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			for name, tc := range map[string]struct {
				rights []rbacv1.PolicyRule
				denied bool
			}{
				"no right":                 {nil, true},
				"of another Secret":        {[]rbacv1.PolicyRule{may("", "secrets", "get", "other")}, true},
				"another right":            {[]rbacv1.PolicyRule{may("", "secrets", "create")}, true},
				"of this Secret":           {[]rbacv1.PolicyRule{may("", "secrets", "get", "target")}, false},
				"of all Secrets":           {[]rbacv1.PolicyRule{may("", "secrets", "get")}, false},
				"of this and other Secret": {[]rbacv1.PolicyRule{may("", "secrets", "get", "other", "target")}, false},
			} {
				err := newAuthor(t, append(tc.rights, deployments)...).create(t, kind, spec)
				if (err != nil) != tc.denied || (tc.denied && !strings.Contains(err.Error(), `you may not read Secret "target"`)) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestAReferenceBesideAnother is asked about by itself, where another one must be named with it.
func TestAReferenceBesideAnother(t *testing.T) {
	t.Parallel()
	install(t)
	kafka := func(authentication string) string {
		return "{type: Kafka, kafka: {brokers: ['kafka:9093'], authentication: " + authentication + "}}"
	}
	for field, tc := range map[string]struct{ kind, spec string }{
		"decryptionKeys[].keyRef": {"WebhookEndpoint", "{provider: {type: MicrosoftGraph, microsoftGraph: {clientStateRefs: [{name: other, key: a}], decryptionKeys: [{certificateID: a, keyRef: " +
			ref + "}]}}, routes: [{name: a, sinkRef: {name: b}}]}"},
		"oauth.caRefs":           {"EventSink", kafka("{oauth: {tokenURL: 'https://a/token', clientID: a, clientSecretRef: {name: other, key: a}, caRefs: [" + ref + "]}}")},
		"rabbitMQ.tls.caRefs":    {"EventSink", "{type: RabbitMQ, rabbitMQ: {addresses: ['rabbitmq:5671'], basicRef: {name: other}, tls: {caRefs: [" + ref + "]}}}"},
		"awsIAM.sessionTokenRef": {"EventSink", kafka("{awsIAM: {accessKeyID: A, secretAccessKeyRef: {name: other, key: a}, sessionTokenRef: " + ref + "}}")},
	} {
		err := newAuthor(t, may("", "secrets", "get", "other"), may("apps", "deployments", "create")).create(t, tc.kind, tc.spec)
		if err == nil || !strings.Contains(err.Error(), `you may not read Secret "target"`) {
			t.Errorf("%s: %v", field, err)
		}
		if err := newAuthor(t, may("", "secrets", "get", "other", "target"), may("apps", "deployments", "create")).create(t, tc.kind, tc.spec); err != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestManySecrets has objects that name more Secrets than the API server lets one policy ask about.
func TestManySecrets(t *testing.T) {
	t.Parallel()
	install(t)
	spec := func(headers, different int) string {
		var list []string
		for i := range headers {
			list = append(list, fmt.Sprintf("{name: X-%d, secretRef: {name: s%d, key: k%d}}", i, i%different, i))
		}
		return "{type: HTTP, http: {url: 'https://example.com', headers: [" + strings.Join(list, ", ") + "]}}"
	}
	var names []string
	for i := range 32 {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	for name, tc := range map[string]struct {
		rights             rbacv1.PolicyRule
		headers, different int
		want               string
	}{
		"one for all headers":             {may("", "secrets", "get", names...), 32, 1, ""},
		"as many as can be asked about":   {may("", "secrets", "get", names...), 32, 20, ""},
		"one too many":                    {may("", "secrets", "get", names...), 32, 21, "more than 20 Secrets"},
		"all headers, who may read all":   {may("", "secrets", "get"), 32, 32, ""},
		"the last of them may not be had": {may("", "secrets", "get", names[:19]...), 20, 20, `Secret "s19"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newAuthor(t, tc.rights).create(t, v1alpha1.EventSinkKind, spec(tc.headers, tc.different))
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestWhatIsMadeIsAskedAbout has the manager make objects that the author may not make.
func TestWhatIsMadeIsAskedAbout(t *testing.T) {
	t.Parallel()
	install(t)
	const (
		ingress  = "exposure: {host: hooks.example.com, ingress: {className: nginx}}"
		gateway  = "exposure: {host: hooks.example.com, gateway: {parentRefs: [{name: main, namespace: infra}]}}"
		claims   = "receiver: {replicas: 1, journal: {type: Embedded, embedded: {persistence: PersistentVolumeClaim}}}"
		noPods   = "neither Deployments nor pods"
		noClaims = "may not create one"
	)
	ingresses, routes := may("networking.k8s.io", "ingresses", "create"), may("gateway.networking.k8s.io", "httproutes", "create")
	deployments, pods, sets := may("apps", "deployments", "create"), may("", "pods", "create"), may("apps", "statefulsets", "create")
	for name, tc := range map[string]struct {
		rights []rbacv1.PolicyRule
		more   string
		want   string
	}{
		"nothing of it":                  {nil, "path: /hooks/a", ""},
		"Ingress":                        {nil, ingress, "create an Ingress"},
		"Ingress, with a right to it":    {[]rbacv1.PolicyRule{ingresses}, ingress, ""},
		"Ingress, with one to routes":    {[]rbacv1.PolicyRule{routes}, ingress, "create an Ingress"},
		"HTTPRoute":                      {nil, gateway, "create an HTTPRoute"},
		"HTTPRoute, with a right":        {[]rbacv1.PolicyRule{routes}, gateway, ""},
		"receiver":                       {nil, "receiver: {}", noPods},
		"receiver, with Deployments":     {[]rbacv1.PolicyRule{deployments}, "receiver: {}", ""},
		"receiver, with pods":            {[]rbacv1.PolicyRule{pods}, "receiver: {}", ""},
		"placement":                      {nil, "receiver: {placement: {tolerations: [{operator: Exists}]}}", noPods},
		"claims, with Deployments":       {[]rbacv1.PolicyRule{deployments}, claims, noClaims},
		"claims, with StatefulSets":      {[]rbacv1.PolicyRule{deployments, sets}, claims, ""},
		"claims, with StatefulSets only": {[]rbacv1.PolicyRule{sets}, claims, noPods},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newAuthor(t, tc.rights...).create(t, v1alpha1.WebhookEndpointKind, endpointWith(tc.more))
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestEdits changes objects that an administrator has made, without a right but to write them. What stays needs none; what has the same Secret go
// elsewhere does.
func TestEdits(t *testing.T) {
	t.Parallel()
	install(t)
	const (
		sink = "{type: HTTP, http: {url: 'https://example.com', headers: [{name: X-Key, secretRef: {name: target, key: k}}]}}"
		end  = "{provider: {type: WebexConnect, webexConnect: {hubSecretRefs: [{name: target, key: k}]}}, path: /hooks/a, receiver: {replicas: 1}, " +
			"exposure: {host: hooks.example.com, ingress: {}}, routes: [{name: a, sinkRef: {name: b}}]}"
		engine = "{provider: {type: EmailEngine, emailEngine: {}}, authentication: {pathToken: {secretRefs: [{name: target, key: k}]}}, routes: [{name: a, sinkRef: {name: b}}]}"
	)
	for name, tc := range map[string]struct {
		kind, spec, patch, want string
	}{
		"a label":                      {"EventSink", sink, `{"metadata": {"labels": {"a": "b"}}}`, ""},
		"a finalizer":                  {"WebhookEndpoint", end, `{"metadata": {"finalizers": ["example.com/a"]}}`, ""},
		"nothing":                      {"EventSink", sink, `{}`, ""},
		"how it is delivered":          {"EventSink", sink, `{"spec": {"delivery": {"maxInFlight": 2}}}`, ""},
		"where the Secret goes":        {"EventSink", sink, `{"spec": {"http": {"url": "https://other.example.com"}}}`, `Secret "target"`},
		"another Secret":               {"EventSink", sink, `{"spec": {"http": {"headers": [{"name": "X-Key", "secretRef": {"name": "other", "key": "k"}}]}}}`, `Secret "other"`},
		"no Secret any more":           {"EventSink", sink, `{"spec": {"http": {"headers": null, "url": "https://other.example.com"}}}`, ""},
		"a route":                      {"WebhookEndpoint", end, `{"spec": {"routes": [{"name": "a", "sinkRef": {"name": "c"}}]}}`, ""},
		"paused":                       {"WebhookEndpoint", end, `{"spec": {"state": "Paused"}}`, ""},
		"another key of the Secret":    {"WebhookEndpoint", end, `{"spec": {"provider": {"webexConnect": {"hubSecretRefs": [{"name": "target", "key": "l"}]}}}}`, `Secret "target"`},
		"another host":                 {"WebhookEndpoint", end, `{"spec": {"exposure": {"host": "bank.example.com"}}}`, "create an Ingress"},
		"another path":                 {"WebhookEndpoint", end, `{"spec": {"path": "/login"}}`, "create an Ingress"},
		"the default path":             {"WebhookEndpoint", end, `{"spec": {"path": null}}`, "create an Ingress"},
		"all below the path":           {"WebhookEndpoint", end, `{"spec": {"authentication": {"pathToken": {"secretRefs": [{"name": "token", "key": "k"}]}}}}`, "create an Ingress"},
		"a Gateway instead":            {"WebhookEndpoint", end, `{"spec": {"exposure": {"ingress": null, "gateway": {"parentRefs": [{"name": "a"}]}}}}`, "create an HTTPRoute"},
		"no exposure":                  {"WebhookEndpoint", end, `{"spec": {"exposure": null}}`, ""},
		"more pods":                    {"WebhookEndpoint", end, `{"spec": {"receiver": {"replicas": 2}}}`, "neither Deployments nor pods"},
		"no receiver of its own":       {"WebhookEndpoint", end, `{"spec": {"receiver": null}}`, ""},
		"a token goes to a provider":   {"WebhookEndpoint", engine, `{"spec": {"registration": {"apiKeyRef": {"name": "token", "key": "k"}, "baseURL": "https://evil.example.com"}}}`, `Secret "target"`},
		"a size of body, and no right": {"WebhookEndpoint", end, `{"spec": {"maxBodySize": "1Mi"}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthor(t, may("", "secrets", "get", "token"))
			o := a.object(t, tc.kind, tc.spec)
			if err := cluster.Client(t).Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			err := settled(t, func() error {
				return a.client.Patch(t.Context(), o, client.RawPatch(types.MergePatchType, []byte(tc.patch)), client.DryRunAll)
			})
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
