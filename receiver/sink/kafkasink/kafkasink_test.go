package kafkasink_test

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/kafkasink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/process"
)

const (
	// password is that of the sink, which no error may hold.
	password = "s3cret-8d1f"
	topic    = "mail"
	basic    = `"authentication":{"plain":{"username":"mailvane","password":"` + password + `"}}`
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// destination is a broker: kfake, the one that the client's authors test it with. It speaks Kafka's protocol over TCP, checks passwords,
// rights and sequences of producers as Kafka does, and stores what it gets.
type destination struct {
	address, dir string
	options      []kfake.Opt
	cluster      *kfake.Cluster
	faults       []*kfake.FaultHandle
	changed      bool
}

// mayWrite is what the sink may do.
func mayWrite() []kfake.ACL {
	return []kfake.ACL{
		{Resource: kmsg.ACLResourceTypeTopic, Name: "mail", Pattern: kmsg.ACLResourcePatternTypePrefixed, Operation: kmsg.ACLOperationWrite, Allow: true},
	}
}

func user(mechanism, password string, acls ...kfake.ACL) []kfake.Opt {
	return []kfake.Opt{kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin"), kfake.User(mechanism, "mailvane", password, acls...)}
}

// start starts a broker with a topic of one partition.
func start(t *testing.T, options ...kfake.Opt) *destination {
	t.Helper()
	address, err := process.FreeAddress(t.Context())
	must(t, err)
	if options == nil {
		options = user("PLAIN", password, mayWrite()...)
	}
	d := &destination{address: address, dir: t.TempDir(), options: append(options, kfake.SeedTopics(1, topic))}
	d.run(t, d.options)
	t.Cleanup(d.stop)
	return d
}

func (d *destination) run(t *testing.T, options []kfake.Opt) { d.runIn(t, d.dir, options) }

func (d *destination) runIn(t *testing.T, dir string, options []kfake.Opt) {
	t.Helper()
	_, port, err := net.SplitHostPort(d.address)
	must(t, err)
	number, err := strconv.Atoi(port)
	must(t, err)
	d.cluster, err = kfake.NewCluster(append(slices.Clone(options), kfake.Ports(number), kfake.DataDir(dir))...)
	must(t, err)
}

func (d *destination) stop() {
	if d.cluster != nil {
		d.cluster.Close()
		d.cluster = nil
	}
}

func (d *destination) mend(t *testing.T) {
	t.Helper()
	for _, f := range d.faults {
		f.Remove()
	}
	d.faults = nil
	if d.changed {
		d.stop()
		d.changed = false
	}
	if d.cluster == nil {
		d.run(t, d.options)
	}
}

// as connects the test, by default as the user who may do everything.
func (d *destination) as(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	options = append([]kgo.Opt{kgo.SeedBrokers(d.address), kgo.SASL(plain.Auth{User: "admin", Pass: "admin"}.AsMechanism())}, options...)
	client, err := kgo.NewClient(options...)
	must(t, err)
	t.Cleanup(client.Close)
	return client
}

// all returns the records of a topic, in their order.
func (d *destination) all(t *testing.T, topic string, options ...kgo.Opt) (records []*kgo.Record) {
	t.Helper()
	client := d.as(t, append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.FetchMaxWait(100 * time.Millisecond)}, options...)...)
	request := kmsg.NewPtrListOffsetsRequest()
	rt, rp := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	rt.Topic, rp.Timestamp = topic, -1
	rt.Partitions = append(rt.Partitions, rp)
	request.Topics = append(request.Topics, rt)
	answer, err := request.RequestWith(t.Context(), client)
	must(t, err)
	must(t, kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode))
	for end := answer.Topics[0].Partitions[0].Offset; int64(len(records)) < end; {
		fetched := client.PollFetches(t.Context())
		must(t, fetched.Err())
		records = append(records, fetched.Records()...)
	}
	return records
}

func (d *destination) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, r := range d.all(t, topic) {
		var e struct{ ID string }
		must(t, json.Unmarshal(r.Value, &e))
		ids = append(ids, e.ID)
	}
	return ids
}

// bound sets the size of what the topic takes.
func (d *destination) bound(t *testing.T, bytes int) {
	t.Helper()
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = "max.message.bytes", new(strconv.Itoa(bytes))
	resource.Configs = append(resource.Configs, config)
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(t.Context(), d.as(t))
	must(t, err)
	must(t, kerr.ErrorForCode(answer.Resources[0].ErrorCode))
}

func (d *destination) deleteTopic(t *testing.T) {
	t.Helper()
	request := kmsg.NewPtrDeleteTopicsRequest()
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = new(topic)
	request.Topics, request.TopicNames = append(request.Topics, rt), []string{topic}
	answer, err := request.RequestWith(t.Context(), d.as(t))
	must(t, err)
	must(t, kerr.ErrorForCode(answer.Topics[0].ErrorCode))
}

func (d *destination) fault(f kfake.Fault) { d.faults = append(d.faults, d.cluster.Fault(f)) }

func (d *destination) fail(change func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		d.mend(t)
		change(t)
	}
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"brokers":[%q],"topic":%q,"tlsMode":"Disable",%s}`, d.address, topic, more)
}

func (d *destination) harness() sinktest.Harness {
	return sinktest.Harness{
		Kind: kafkasink.Kind(), Settings: d.settings(basic + `,"compression":"None"`), Secrets: []string{password}, Received: d.received,
		Break: func(*testing.T) { d.stop() }, Mend: d.mend, Bound: d.bound,
		Stall: func(*testing.T) {
			d.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
				d.cluster.KeepControl()
				return nil, nil, true
			})
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent: d.fail(func(t *testing.T) { d.bound(t, 1) }),
			sinktest.Transient: d.fail(func(t *testing.T) {
				d.bound(t, 1<<20)
				d.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
			}),
			sinktest.BadCredential: d.fail(func(t *testing.T) {
				d.stop()
				d.runIn(t, t.TempDir(), append(user("PLAIN", "another"), kfake.SeedTopics(1, topic))) // who may connect is stored, too
				d.changed = true
			}),
			sinktest.NoDestination: d.fail(d.deleteTopic),
			sinktest.Unreachable:   d.fail(func(*testing.T) { d.stop() }),
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return start(t).harness() })
}

// open opens a sink with settings beside those that lead to the destination.
func (d *destination) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	return openWith(t, d.settings(more))
}

func openWith(t *testing.T, settings string) sink.Sink {
	t.Helper()
	s, err := kafkasink.Kind().New([]byte(settings), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestEachOnce has the broker restart in the middle of 10,000 events: it keeps what producers have sent, and so knows what comes again.
func TestEachOnce(t *testing.T) {
	t.Parallel()
	d := start(t)
	sinktest.Recover(t, d.harness())
	if n := len(d.received(t)); n != 10_000 {
		t.Errorf("%d records of 10,000 events", n)
	}
}

// TestARecord looks at what a consumer gets, in each content mode.
func TestARecord(t *testing.T) {
	t.Parallel()
	d := start(t)
	m := sinktest.Message(0)
	for _, tc := range []struct{ mode, value, headers string }{
		{"Structured", string(m.Envelope), "content-type=application/cloudevents+json; charset=UTF-8"},
		{
			"Binary", `{"id":"` + m.ID + `","big":12345678901234567890}`,
			"ce_specversion=1.0 ce_id=" + m.ID + " ce_source=/mailvane/mail/in ce_type=dev.mailvane.email.sent.v1 ce_subject=to+0@example.com content-type=application/json",
		},
	} {
		for _, compression := range []string{"None", "Gzip", "Snappy", "LZ4", "Zstd"} {
			must(t, d.open(t, basic+`,"contentMode":"`+tc.mode+`","compression":"`+compression+`"`).Send(t.Context(), sinktest.Batch(0, 1)))
			records := d.all(t, topic)
			r := records[len(records)-1]
			var headers []string
			for _, h := range r.Headers {
				headers = append(headers, h.Key+"="+string(h.Value))
			}
			if string(r.Value) != tc.value || string(r.Key) != m.Key || strings.Join(headers, " ") != tc.headers {
				t.Errorf("%s, %s: key %q, headers %q, value %s", tc.mode, compression, r.Key, headers, r.Value)
			}
		}
	}
}

// TestWhatIsNoEvent costs itself alone.
func TestWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	d := start(t)
	for mode, spoil := range map[string]func(*sink.Message){
		"Binary":     func(m *sink.Message) { m.Envelope = []byte(`{"id":`) },
		"Structured": func(m *sink.Message) { m.ID = "" },
	} {
		messages := sinktest.Messages(0, 3)
		spoil(&messages[1])
		failed := sink.FailedOf(d.open(t, basic+`,"contentMode":"`+mode+`"`).Send(t.Context(), sink.NewBatch(messages)), 3)
		if len(failed) != 1 || !sink.IsPermanent(failed[1]) {
			t.Errorf("%s: %v", mode, failed)
		}
	}
	if n := len(d.received(t)); n != 4 {
		t.Errorf("%d records, want 4", n)
	}
}

// TestWithoutAKey has no empty key: all such records would be in one partition.
func TestWithoutAKey(t *testing.T) {
	t.Parallel()
	d := start(t)
	messages := sinktest.Messages(0, 1)
	messages[0].Key = ""
	must(t, d.open(t, basic).Send(t.Context(), sink.NewBatch(messages)))
	if r := d.all(t, topic)[0]; r.Key != nil {
		t.Errorf("key %q", r.Key)
	}
}

// TestOneTopicOfMany has one topic of a batch missing: the others get their records.
func TestOneTopicOfMany(t *testing.T) {
	t.Parallel()
	d := start(t, append(user("PLAIN", password, mayWrite()...), kfake.SeedTopics(1, "mail.email.sent"))...)
	s := openWith(t, strings.Replace(d.settings(basic), `"mail"`, `"mail.{type}"`, 1))
	messages := sinktest.Messages(0, 3)
	messages[1].Type = "dev.mailvane.email.opened.v1"
	for range 2 { // it is looked for each time
		failed := sink.FailedOf(s.Send(t.Context(), sink.NewBatch(messages)), len(messages))
		if len(failed) != 1 || sink.CauseOf(failed[1]) != sink.DestinationNotFound || !strings.Contains(failed[1].Error(), `"mail.email.opened"`) {
			t.Errorf("failed: %v", failed)
		}
	}
	must(t, s.(sink.Prober).Probe(t.Context()))
	if n := len(d.all(t, "mail.email.sent")); n != 4 {
		t.Errorf("%d records, want 4", n)
	}
}

// TestOneThatTheSinkDoesNotSend has an event that is larger than maxRequestBytes.
func TestOneThatTheSinkDoesNotSend(t *testing.T) {
	t.Parallel()
	d := start(t)
	messages := sinktest.Messages(0, 5)
	messages[2].Envelope = []byte(`{"id":"` + messages[2].ID + `","data":"` + strings.Repeat("x", 17<<10) + `"}`)
	failed := sink.FailedOf(d.open(t, basic+`,"maxRequestBytes":16384`).Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 1 || !sink.IsPermanent(failed[2]) || !strings.Contains(failed[2].Error(), "maxRequestBytes") || len(d.received(t)) != 4 {
		t.Errorf("failed: %v", failed)
	}
}

// TestTheGuardIsAsked has a broker at an address that the sink must not reach.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	s, err := kafkasink.Kind().New([]byte(`{"brokers":["127.0.0.1:9092"],"tlsMode":"Disable"}`), sink.Environment{GuardOwn: true})
	must(t, err)
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
	must(t, s.Close())
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); err == nil || sink.IsPermanent(err) {
		t.Errorf("Send after Close = %v", err)
	}
}
