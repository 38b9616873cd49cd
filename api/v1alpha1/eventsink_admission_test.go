package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestSinkUnion(t *testing.T) {
	t.Parallel()

	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"HTTP":                 {"each type takes its member", "type: HTTP\nhttp: {url: 'https://crm.example.com/events'}", ""},
		"File":                 {"each type takes its member", "type: File\nfile: {path: audit/events.jsonl}", ""},
		"Stdout":               {"Stdout has no settings", "type: Stdout", ""},
		"Stdout with a member": {"the empty member may be written", "type: Stdout\nstdout: {}", ""},

		"HTTP without":  {"no type with settings goes without its member", "type: HTTP", "spec.http: must be set when type is HTTP"},
		"File without":  {"no type with settings goes without its member", "type: File", "spec.file: must be set when type is File"},
		"HTTP beside":   {"no type takes another's member", "type: Stdout\nhttp: {url: 'https://crm.example.com/events'}", "spec.http: must not be set unless type is HTTP"},
		"File beside":   {"no type takes another's member", "type: Stdout\nfile: {path: a}", "spec.file: must not be set unless type is File"},
		"Stdout beside": {"no type takes another's member", "type: File\nfile: {path: a}\nstdout: {}", "spec.stdout: must not be set unless type is Stdout"},
		"unknown type":  {"the enum lists what this release can do", "type: Fax", `spec.type: "Stdout"`},
		"no type":       {"the discriminator is required", "delivery: {maxInFlight: 1}", "spec.type: Required"},
		"no path":       {"required", "type: File\nfile: {}", "spec.file.path: Required"},
		"absolute path": {"the journal and the device files are there", "type: File\nfile: {path: /var/lib/mailvane/journal/OPTIONS-000003}", "spec.file.path: must be a relative name"},
		"path upwards":  {"as above", "type: File\nfile: {path: a/../../journal/OPTIONS-000003}", "spec.file.path: must be a relative name"},
		"hidden file":   {"as above, and nobody looks for it", "type: File\nfile: {path: .events}", "spec.file.path: must be a relative name"},
		"odd name":      {"a line's end in a name misleads who reads a log", "type: File\nfile: {path: \"a\\nb\"}", "spec.file.path: must be a relative name"},
	})
}

func TestHTTPSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: HTTP\nhttp: {url: 'http://127.0.0.1:8090/events', " + more + "}"
	}
	https := func(more string) string {
		return "type: HTTP\nhttp: {url: 'https://crm.internal/events', " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"headers": {"a value or a reference", sink("headers: [{name: X-Team, value: mail}, {name: Authorization, secretRef: {name: a, key: b}}]"), ""},
		"signed":  {"several secrets during a rotation", sink("signingSecretRefs: [{name: a, key: b}, {name: a, key: c}]"), ""},
		"batched": {"enum", sink("contentMode: Batched"), ""},

		"CloudEvents":              {"the default, written out", sink("contentMode: Batched, body: {type: CloudEvents}"), ""},
		"raw":                      {"no settings", sink("body: {type: Raw}"), ""},
		"raw of whole events":      {"what is kept is there", sink("body: {type: Raw}") + "\ncontent: {raw: Keep, fields: [{name: recipient, as: Keep}]}", ""},
		"template":                 {"what CEL says of it is for those who have the event's type", sink("body: {type: Template, template: '{\"email\": event.recipient}'}, contentMode: Structured"), ""},
		"raw that is dropped":      {"nothing would be left to send", sink("body: {type: Raw}") + "\ncontent: {raw: Drop}", "spec.content.raw: must be Keep when http.body.type is Raw"},
		"no template":              {"there is no default", sink("body: {type: Template}"), "spec.http.body.template: must be set when type is Template"},
		"template of raw":          {"which one is meant?", sink("body: {type: Raw, template: '{}'}"), "spec.http.body.template: must be set when type is Template, and only then"},
		"empty template":           {"nothing is no JSON", sink("body: {type: Template, template: ''}"), "spec.http.body.template: at least 1"},
		"long template":            {"bounds", sink("body: {type: Template, template: '" + strings.Repeat("x", 4097) + "'}"), "spec.http.body.template: may not be more than 4096"},
		"body without a type":      {"the discriminator is required", sink("body: {template: '{}'}"), "spec.http.body.type: Required"},
		"body of another type":     {"enum", sink("body: {type: Form}"), `spec.http.body.type: "CloudEvents", "Raw", "Template"`},
		"raw in binary mode":       {"the modes are those of CloudEvents", sink("contentMode: Binary, body: {type: Raw}"), "spec.http.contentMode: must be Structured, or left out, unless body.type is CloudEvents"},
		"template in batched mode": {"as above", sink("contentMode: Batched, body: {type: Template, template: '{}'}"), "spec.http.contentMode: must be Structured"},

		"header with both":    {"which one is meant?", sink("headers: [{name: A, value: a, secretRef: {name: a, key: b}}]"), "spec.http.headers[0]: exactly one of value and secretRef"},
		"header with neither": {"which value?", sink("headers: [{name: A}]"), "spec.http.headers[0]: exactly one of value and secretRef"},
		"same header twice":   {"headers are a map by name", sink("headers: [{name: A, value: a}, {name: A, value: b}]"), "spec.http.headers[1]: Duplicate"},
		"own header":          {"Mailvane says what it sends", sink("headers: [{name: Content-Type, value: a}]"), "spec.http.headers[0].name: must not be a header that Mailvane"},
		"CloudEvents header":  {"Mailvane says what it sends", sink("headers: [{name: Ce-Id, value: a}]"), "spec.http.headers[0].name: must not be a header that Mailvane"},
		"tea header":          {"only whole names are reserved", sink("headers: [{name: Tea, value: a}]"), ""},
		"header name":         {"RFC 9110 section 5.1", sink("headers: [{name: 'A:', value: a}]"), "spec.http.headers[0].name: should match"},
		"certificates":        {"all that there is", https("tls: {caRefs: [{name: ca, key: ca.crt}], secretRef: {name: client}, serverName: crm.internal}"), ""},
		"empty tls":           {"what is meant by it?", https("tls: {}"), "spec.http.tls: at least 1 propert"},
		"tls without https":   {"nothing would be verified", sink("tls: {serverName: crm.internal}"), "spec.http.tls: must not be set unless url begins with https:"},
		"no authorities":      {"the image's are believed by leaving the field out", https("tls: {caRefs: []}"), "spec.http.tls.caRefs: at least 1"},
		"server name":         {"RFC 1123 section 2.1", https("tls: {serverName: 'crm internal'}"), "spec.http.tls.serverName: should match"},
		"no secrets":          {"unsigned is written by leaving the field out", sink("signingSecretRefs: []"), "spec.http.signingSecretRefs: at least 1"},
		"bad content mode":    {"enum", sink("contentMode: Batch"), `spec.http.contentMode: "Batched"`},

		"secret url":       {"a URL may be a credential", "type: HTTP\nhttp: {urlSecretRef: {name: a, key: b}, tls: {serverName: crm.internal}}", ""},
		"two urls":         {"which one is meant?", sink("urlSecretRef: {name: a, key: b}"), "spec.http: exactly one of url and urlSecretRef"},
		"no url":           {"one of them is required", "type: HTTP\nhttp: {contentMode: Binary}", "spec.http: exactly one of url and urlSecretRef"},
		"relative url":     {"absolute", "type: HTTP\nhttp: {url: /events}", "spec.http.url: absolute http or https URL"},
		"other scheme":     {"HTTP", "type: HTTP\nhttp: {url: 'ftp://example.com/'}", "spec.http.url: absolute http or https URL"},
		"password in url":  {"a credential belongs in a Secret", "type: HTTP\nhttp: {url: 'https://user:pass@example.com/'}", "spec.http.url: without user name and password"},
		"at sign in path":  {"only the authority matters", "type: HTTP\nhttp: {url: 'https://example.com/a@b'}", ""},
		"not a url at all": {"absolute", "type: HTTP\nhttp: {url: 'https://exa mple.com/'}", "spec.http.url: absolute http or https URL"},
	})
}

func TestNATSSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: NATS\nnats: {urls: ['nats://nats.nats.svc:4222'], " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", "type: NATS\nnats: {urls: ['nats://a:4222', 'tls://b:4222'], subject: 'mail.{type}.{provider}', stream: MAIL, " +
			"authentication: {basicRef: {name: a}}, tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: nats.internal}}", ""},
		"token":       {"one of the ways", sink("authentication: {tokenRef: {name: a, key: b}}"), ""},
		"nkey":        {"one of the ways", sink("authentication: {nkeySeedRef: {name: a, key: b}}"), ""},
		"credentials": {"one of the ways", sink("authentication: {credentialsRef: {name: a, key: b}}"), ""},
		"subject":     {"attributes may be within a token", sink("subject: 'a-{endpoint}.{type}'"), ""},

		"two ways":       {"which one is meant?", sink("authentication: {tokenRef: {name: a, key: b}, basicRef: {name: a}}"), "spec.nats.authentication: at most 1"},
		"no way":         {"nothing is written by leaving the field out", sink("authentication: {}"), "spec.nats.authentication: at least 1"},
		"no servers":     {"required", "type: NATS\nnats: {}", "spec.nats.urls: Required"},
		"password":       {"a credential belongs in a Secret", "type: NATS\nnats: {urls: ['nats://u:p@a:4222']}", "spec.nats.urls[0]: should match"},
		"other scheme":   {"NATS", "type: NATS\nnats: {urls: ['http://a:4222']}", "spec.nats.urls[0]: should match"},
		"same url twice": {"a set", "type: NATS\nnats: {urls: ['nats://a:4222', 'nats://a:4222']}", "spec.nats.urls[1]: Duplicate"},
		"no attribute":   {"a typing error is no literal", sink("subject: 'mail.{name}'"), "spec.nats.subject: should match"},
		"empty token":    {"NATS takes none", sink("subject: 'mail..{type}'"), "spec.nats.subject: should match"},
		"wildcard":       {"nobody publishes to one", sink("subject: 'mail.*'"), "spec.nats.subject: should match"},
		"stream":         {"it has no dots", sink("stream: a.b"), "spec.nats.stream: should match"},
	})
}

func TestPostgreSQLSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: PostgreSQL\npostgreSQL: {hosts: [db], database: mail, username: mailvane, " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", "type: PostgreSQL\npostgreSQL: {hosts: [db, 'db.svc:6432', '[2001:db8::1]:5432'], database: mail, table: mail.events, createTable: IfMissing, " +
			"basicRef: {name: a}, maxConnections: 64, tlsMode: Verify, tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: db.internal}}", ""},
		"least":         {"all else has defaults", sink(""), ""},
		"without TLS":   {"a database may be on the same machine", sink("tlsMode: Disable"), ""},
		"no user":       {"it would be that of the process", "type: PostgreSQL\npostgreSQL: {hosts: [db], database: mail}", "spec.postgreSQL: exactly one of basicRef and username"},
		"two users":     {"which one is meant?", sink("basicRef: {name: a}"), "spec.postgreSQL: exactly one of basicRef and username"},
		"no hosts":      {"required", "type: PostgreSQL\npostgreSQL: {database: mail, username: a}", "spec.postgreSQL.hosts: Required"},
		"no database":   {"required", "type: PostgreSQL\npostgreSQL: {hosts: [db], username: a}", "spec.postgreSQL.database: Required"},
		"URL":           {"a credential belongs in a Secret", "type: PostgreSQL\npostgreSQL: {hosts: ['postgres://u:p@db'], database: mail, username: a}", "spec.postgreSQL.hosts[0]: should match"},
		"table":         {"a name in capitals needs quotation marks everywhere", sink("table: Events"), "spec.postgreSQL.table: should match"},
		"injection":     {"a name is a name", sink("table: 'a; drop table b'"), "spec.postgreSQL.table: should match"},
		"create":        {"enum", sink("createTable: Always"), `spec.postgreSQL.createTable: "IfMissing"`},
		"connections":   {"bounds", sink("maxConnections: 65"), "spec.postgreSQL.maxConnections: less than or equal to 64"},
		"mode":          {"enum; there is no way to leave a certificate unverified", sink("tlsMode: Require"), `spec.postgreSQL.tlsMode: "Disable"`},
		"tls while off": {"which one is meant?", sink("tlsMode: Disable, tls: {serverName: db.internal}"), "spec.postgreSQL.tls: must not be set when tlsMode is Disable"},
	})
}

func TestRedisSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string { return "type: Redis\nredis: {addresses: ['redis:6379'], " + more + "}" }
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("database: 3, stream: 'mail:{type}', maxLength: 1000, basicRef: {name: a}, tlsMode: Verify, " +
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: redis.internal}"), ""},
		"least":    {"all else has defaults", sink(""), ""},
		"password": {"of the default user", sink("passwordRef: {name: a, key: b}, tlsMode: Disable"), ""},
		"sentinel": {"with the name of a master", "type: Redis\nredis: {addresses: ['a:1', 'b:1'], mode: Sentinel, masterName: mymaster}", ""},
		"cluster":  {"some of its servers", "type: Redis\nredis: {addresses: ['a:1', '[2001:db8::1]:6379'], mode: Cluster}", ""},

		"no address":    {"required", "type: Redis\nredis: {}", "spec.redis.addresses: Required"},
		"no port":       {"there is no default", "type: Redis\nredis: {addresses: [redis]}", "spec.redis.addresses[0]: should match"},
		"two addresses": {"which one is meant?", "type: Redis\nredis: {addresses: ['a:1', 'b:1']}", "spec.redis.addresses: must be one when mode is Standalone"},
		"no master":     {"sentinels know several", sink("mode: Sentinel"), "spec.redis.masterName: must be set when mode is Sentinel"},
		"a master":      {"nobody asks for it", sink("masterName: a"), "spec.redis.masterName: must be set when mode is Sentinel, and only then"},
		"database":      {"a cluster has one", sink("mode: Cluster, database: 1"), "spec.redis.database: must not be set when mode is Cluster"},
		"two passwords": {"which one is meant?", sink("basicRef: {name: a}, passwordRef: {name: a, key: b}"), "spec.redis: at most one of basicRef and passwordRef"},
		"stream":        {"a typing error is no literal", sink("stream: 'mail:{name}'"), "spec.redis.stream: should match"},
		"length":        {"bounds", sink("maxLength: 0"), "spec.redis.maxLength: greater than or equal to 1"},
		"mode":          {"enum", sink("mode: Ring"), `spec.redis.mode: "Cluster"`},
		"tls disabled":  {"which one is meant?", sink("tlsMode: Disable, tls: {serverName: a}"), "spec.redis.tls: must not be set when tlsMode is Disable"},
	})
}

func TestS3Sink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string { return "type: S3\ns3: {bucket: events, region: eu-west-1, " + more + "}" }
	const key = "accessKeyIDRef: {name: a, key: b}, secretAccessKeyRef: {name: a, key: c}"
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("endpoint: 'https://s3.internal:9000', addressing: VirtualHost, prefix: 'mail/{type}/{date}/{hour}/{endpoint}-', compression: Gzip, encryption: KMS, kmsKeyID: alias/mail, " +
			"authentication: {" + key + ", sessionTokenRef: {name: a, key: d}}, tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: s3.internal}"), ""},
		"least":        {"web identity", "type: S3\ns3: {bucket: events, region: eu-west-1}", ""},
		"another role": {"of web identity", sink("authentication: {roleARN: 'arn:aws:iam::123456789012:role/mail/mailvane'}"), ""},

		"no bucket":      {"required", "type: S3\ns3: {region: eu-west-1}", "spec.s3.bucket: Required"},
		"no region":      {"required", "type: S3\ns3: {bucket: events}", "spec.s3.region: Required"},
		"odd bucket":     {"names are in small letters", "type: S3\ns3: {bucket: Events, region: eu-west-1}", "spec.s3.bucket: should match"},
		"key in a URL":   {"a credential belongs in a Secret", sink("endpoint: 'https://key:secret@s3.internal'"), "spec.s3.endpoint: should match"},
		"bucket in URL":  {"it has a field", sink("endpoint: 'https://s3.internal/events'"), "spec.s3.endpoint: should match"},
		"prefix":         {"a typing error is no literal", sink("prefix: 'mail/{day}/'"), "spec.s3.prefix: should match"},
		"personal data":  {"keys are shown to whoever may list", sink("prefix: 'mail/{recipient}/'"), "spec.s3.prefix: should match"},
		"compression":    {"enum", sink("compression: Snappy"), `spec.s3.compression: "Gzip"`},
		"addressing":     {"enum", sink("addressing: Host"), `spec.s3.addressing: "Path"`},
		"encryption":     {"enum", sink("encryption: None"), `spec.s3.encryption: "AES256"`},
		"key of nothing": {"it would not be used", sink("encryption: AES256, kmsKeyID: k"), "spec.s3.kmsKeyID: must not be set unless encryption is KMS"},
		"tls of AWS":     {"AWS has a public certificate", sink("tls: {serverName: s3.internal}"), "spec.s3.tls: must not be set unless endpoint begins with https:"},
		"half a key":     {"nothing can be signed", sink("authentication: {accessKeyIDRef: {name: a, key: b}}"), "spec.s3.authentication: accessKeyIDRef and secretAccessKeyRef must be set together"},
		"token alone":    {"it belongs to a key", sink("authentication: {sessionTokenRef: {name: a, key: b}}"), "spec.s3.authentication.sessionTokenRef: must not be set without an access key"},
		"empty":          {"web identity is written by leaving the field out", sink("authentication: {}"), "spec.s3.authentication: at least 1"},
		"role by name":   {"there are many accounts", sink("authentication: {roleARN: mailvane-the-role-of-mail}"), "spec.s3.authentication.roleARN: should match"},
	})
}

func TestSQSSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: SQS\nsqs: {queueURL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/mail.fifo', region: eu-west-1, " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("endpoint: 'https://sqs.internal', authentication: {accessKeyIDRef: {name: a, key: b}, secretAccessKeyRef: {name: a, key: c}}, " +
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: sqs.internal}"), ""},
		"least": {"web identity", sink(""), ""},

		"no queue":      {"required", "type: SQS\nsqs: {region: eu-west-1}", "spec.sqs.queueURL: Required"},
		"no region":     {"required", "type: SQS\nsqs: {queueURL: 'https://sqs.internal/1/mail'}", "spec.sqs.region: Required"},
		"a name":        {"a name is of an account", "type: SQS\nsqs: {queueURL: mail, region: eu-west-1}", "spec.sqs.queueURL: should match"},
		"key in a URL":  {"a credential belongs in a Secret", "type: SQS\nsqs: {queueURL: 'https://a:b@sqs.internal/1/mail', region: eu-west-1}", "spec.sqs.queueURL: should match"},
		"tls of AWS":    {"AWS has a public certificate", sink("tls: {serverName: sqs.internal}"), "spec.sqs.tls: must not be set unless endpoint begins with https:"},
		"half a key":    {"nothing can be signed", sink("authentication: {accessKeyIDRef: {name: a, key: b}}"), "spec.sqs.authentication: accessKeyIDRef and secretAccessKeyRef must be set together"},
		"path endpoint": {"a queue has a URL of its own", sink("endpoint: 'https://sqs.internal/mail'"), "spec.sqs.endpoint: should match"},
	})
}

func TestSNSSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: SNS\nsns: {topicARN: 'arn:aws:sns:eu-west-1:123456789012:mail.fifo', " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("endpoint: 'https://sns.internal', authentication: {accessKeyIDRef: {name: a, key: b}, secretAccessKeyRef: {name: a, key: c}}, " +
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: sns.internal}"), ""},
		"least": {"web identity", sink(""), ""},

		"no topic":      {"required", "type: SNS\nsns: {endpoint: 'https://sns.internal'}", "spec.sns.topicARN: Required"},
		"a name":        {"a name is of an account", "type: SNS\nsns: {topicARN: mail}", "spec.sns.topicARN: should match"},
		"a queue":       {"it is another service's", "type: SNS\nsns: {topicARN: 'arn:aws:sqs:eu-west-1:123456789012:mail'}", "spec.sns.topicARN: should match"},
		"tls of AWS":    {"AWS has a public certificate", sink("tls: {serverName: sns.internal}"), "spec.sns.tls: must not be set unless endpoint begins with https:"},
		"half a key":    {"nothing can be signed", sink("authentication: {accessKeyIDRef: {name: a, key: b}}"), "spec.sns.authentication: accessKeyIDRef and secretAccessKeyRef must be set together"},
		"path endpoint": {"a topic has an ARN", sink("endpoint: 'https://sns.internal/mail'"), "spec.sns.endpoint: should match"},
	})
}

func TestSuppressionSink(t *testing.T) {
	t.Parallel()

	const postgreSQL, redis = "hosts: [db], database: mail", "addresses: ['redis:6379']"
	sink := func(store, more string) string {
		return "type: Suppression\nsuppression: {" + store + ": {" + more + "}}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all of PostgreSQL": {"every field", sink("postgreSQL", "hosts: ['db:5433', db2], database: mail, table: mail.list, createTable: IfMissing, basicRef: {name: a}, tlsMode: Verify, "+
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: db}"), ""},
		"all of Redis": {"every field", sink("redis", "addresses: ['a:26379', 'b:26379'], mode: Sentinel, masterName: mymaster, database: 1, keyPrefix: 'mail:', basicRef: {name: a}, tlsMode: Verify, "+
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: db}"), ""},
		"least": {"the rest has defaults", sink("redis", redis), ""},

		"neither":        {"there is no list", "type: Suppression\nsuppression: {}", "spec.suppression: exactly one of postgreSQL and redis must be set"},
		"both":           {"which one?", "type: Suppression\nsuppression: {postgreSQL: {" + postgreSQL + ", username: a}, redis: {" + redis + "}}", "spec.suppression: exactly one of postgreSQL and redis must be set"},
		"no user":        {"PostgreSQL asks for one", sink("postgreSQL", postgreSQL), "spec.suppression.postgreSQL: exactly one of basicRef and username must be set"},
		"tls without":    {"it is not encrypted", sink("postgreSQL", postgreSQL+", username: a, tlsMode: Disable, tls: {serverName: db}"), "spec.suppression.postgreSQL.tls: must not be set when tlsMode is Disable"},
		"no master":      {"sentinels know several", sink("redis", redis+", mode: Sentinel"), "spec.suppression.redis.masterName: must be set when mode is Sentinel"},
		"two passwords":  {"which one?", sink("redis", redis+", basicRef: {name: a}, passwordRef: {name: a, key: b}"), "spec.suppression.redis: at most one of basicRef and passwordRef"},
		"a pattern":      {"it would be others' keys", sink("redis", redis+", keyPrefix: 'a*'"), "spec.suppression.redis.keyPrefix: should match"},
		"hidden content": {"a masked address is another", sink("redis", redis) + "\ncontent: {raw: Drop, fields: [{name: recipient, as: Mask}]}", "spec.content: must not be set when type is Suppression"},
	})
}

func TestPubSubSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: PubSub\npubSub: {topic: projects/mail-1234/topics/mail-events, " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("contentMode: Binary, orderingKey: PartitionKey, endpoint: 'https://pubsub.internal:8443', serviceAccountKeyRef: {name: a, key: b}, " +
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: pubsub.internal}"), ""},
		"least":    {"the identity of the pod", sink(""), ""},
		"emulator": {"it is shown no credential", sink("endpoint: 'http://pubsub:8085'"), ""},

		"no topic":      {"required", "type: PubSub\npubSub: {orderingKey: None}", "spec.pubSub.topic: Required"},
		"a name":        {"a topic is of a project", "type: PubSub\npubSub: {topic: mail-events}", "spec.pubSub.topic: should match"},
		"subscription":  {"it is read from", "type: PubSub\npubSub: {topic: projects/mail-1234/subscriptions/mail}", "spec.pubSub.topic: should match"},
		"tls of Google": {"it has a public certificate", sink("tls: {serverName: a}"), "spec.pubSub.tls: must not be set unless endpoint begins with https:"},
		"clear text":    {"a token would be seen", sink("endpoint: 'http://pubsub:8085', serviceAccountKeyRef: {name: a, key: b}"), "spec.pubSub.serviceAccountKeyRef: must not be set when endpoint begins with http:"},
		"path endpoint": {"a topic has a name", sink("endpoint: 'https://pubsub.internal/v1'"), "spec.pubSub.endpoint: should match"},
		"mode":          {"there are two", sink("contentMode: Batched"), "spec.pubSub.contentMode: Unsupported value"},
	})
}

func TestEventBridgeSink(t *testing.T) {
	t.Parallel()

	sink := func(more string) string {
		return "type: EventBridge\neventBridge: {busARN: 'arn:aws:events:eu-west-1:123456789012:event-bus/mail', " + more + "}"
	}
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink("source: acme/mail, endpoint: 'https://events.internal', authentication: {accessKeyIDRef: {name: a, key: b}, secretAccessKeyRef: {name: a, key: c}}, " +
			"tls: {caRefs: [{name: a, key: b}], secretRef: {name: a}, serverName: events.internal}"), ""},
		"least": {"web identity", sink(""), ""},

		"no bus":     {"required", "type: EventBridge\neventBridge: {source: a}", "spec.eventBridge.busARN: Required"},
		"a name":     {"a name is of an account", "type: EventBridge\neventBridge: {busARN: mail}", "spec.eventBridge.busARN: should match"},
		"AWS's":      {"AWS keeps it for itself", sink("source: aws.ses"), "spec.eventBridge.source: must not begin with aws."},
		"tls of AWS": {"AWS has a public certificate", sink("tls: {serverName: events.internal}"), "spec.eventBridge.tls: must not be set unless endpoint begins with https:"},
		"half a key": {"nothing can be signed", sink("authentication: {accessKeyIDRef: {name: a, key: b}}"), "spec.eventBridge.authentication: accessKeyIDRef and secretAccessKeyRef must be set together"},
	})
}

func TestDelivery(t *testing.T) {
	t.Parallel()

	sink := func(delivery string) string { return "type: Stdout\ndelivery: " + delivery }
	runCreate(t, v1alpha1.EventSinkKind, map[string]admissionCase{
		"all": {"every field", sink(`{maxInFlight: 1, batch: {maxEvents: 1, maxBytes: 64Mi, lingerMilliseconds: 0}, timeoutSeconds: 1,
    retry: {initialBackoffMilliseconds: 10, maxBackoffSeconds: 1, maxAgeSeconds: 1}, ordering: ByKey,
    rateLimit: {eventsPerSecond: 0}, deadLetter: {sinkRef: {name: dead}}}`), ""},

		"no sends":          {"bounds", sink("{maxInFlight: 0}"), "spec.delivery.maxInFlight: greater than or equal to 1"},
		"many sends":        {"bounds", sink("{maxInFlight: 1025}"), "spec.delivery.maxInFlight: less than or equal to 1024"},
		"no events":         {"bounds", sink("{batch: {maxEvents: 0}}"), "spec.delivery.batch.maxEvents: greater than or equal to 1"},
		"few bytes":         {"bounds", sink("{batch: {maxBytes: 1}}"), "spec.delivery.batch.maxBytes: must be between 1Ki and 64Mi"},
		"many bytes":        {"bounds", sink("{batch: {maxBytes: 65Mi}}"), "spec.delivery.batch.maxBytes: must be between 1Ki and 64Mi"},
		"negative linger":   {"bounds", sink("{batch: {lingerMilliseconds: -1}}"), "spec.delivery.batch.lingerMilliseconds: greater than or equal to 0"},
		"no time":           {"bounds", sink("{timeoutSeconds: 0}"), "spec.delivery.timeoutSeconds: greater than or equal to 1"},
		"no backoff":        {"bounds", sink("{retry: {initialBackoffMilliseconds: 0}}"), "spec.delivery.retry.initialBackoffMilliseconds: greater than or equal to 10"},
		"long backoff":      {"bounds", sink("{retry: {maxBackoffSeconds: 86401}}"), "spec.delivery.retry.maxBackoffSeconds: less than or equal to 86400"},
		"no age":            {"bounds", sink("{retry: {maxAgeSeconds: 0}}"), "spec.delivery.retry.maxAgeSeconds: greater than or equal to 1"},
		"bad ordering":      {"enum", sink("{ordering: Strict}"), `spec.delivery.ordering: "ByKey"`},
		"negative rate":     {"bounds", sink("{rateLimit: {eventsPerSecond: -1}}"), "spec.delivery.rateLimit.eventsPerSecond: greater than or equal to 0"},
		"empty rate limit":  {"required", sink("{rateLimit: {}}"), "spec.delivery.rateLimit.eventsPerSecond: Required"},
		"own dead letter":   {"a sink that fails cannot take its own dead letters", sink("{deadLetter: {sinkRef: {name: test}}}"), "spec.delivery.deadLetter.sinkRef.name: must not name the sink itself"},
		"empty dead letter": {"required", sink("{deadLetter: {}}"), "spec.delivery.deadLetter.sinkRef: Required"},
	})
}

func TestSinkDefaults(t *testing.T) {
	t.Parallel()

	object, errs := create(t, v1alpha1.EventSinkKind, "type: HTTP\nhttp: {url: 'https://crm.example.com/events'}")
	if len(errs) != 0 {
		t.Fatal(errs.ToAggregate())
	}
	want := decode(t, v1alpha1.EventSinkKind, `
type: HTTP
http: {url: 'https://crm.example.com/events', contentMode: Structured}
delivery:
  maxInFlight: 32
  batch: {maxEvents: 500, maxBytes: 1Mi, lingerMilliseconds: 50}
  timeoutSeconds: 15
  retry: {initialBackoffMilliseconds: 500, maxBackoffSeconds: 300, maxAgeSeconds: 259200}
  ordering: Unordered`)
	if diff := cmp.Diff(want["spec"], object["spec"]); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestSinkTypeIsImmutable(t *testing.T) {
	t.Parallel()

	old, _ := create(t, v1alpha1.EventSinkKind, "type: Stdout")
	review := newJudge(t).Update(t, decode(t, v1alpha1.EventSinkKind, "type: File\nfile: {path: a}"), old)
	checkErrors(t, "what is owed to a sink cannot move to another kind", "spec.type: must not be changed", review.Errors)
}
