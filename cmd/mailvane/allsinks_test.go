package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	redisclient "github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/test/nats"
	"github.com/mailvane/mailvane/test/postgres"
	"github.com/mailvane/mailvane/test/rabbitmq"
	"github.com/mailvane/mailvane/test/redis"
	"github.com/mailvane/mailvane/test/storage"
)

// fanOut is how many events are sent, perRequest at a time. Every tenth is a hard bounce of another recipient.
const (
	fanOut     = 1000
	perRequest = 100
)

// place is one destination: where it is, and the ids of the events that it has, each as often as it has it.
type place struct {
	name        string
	address, is string // in the sample, and in the test
	has         func(t *testing.T) []string
	stop, start func() error // nil = it stays
	// exactly says that it knows an event again.
	exactly bool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// found is for servers that not every machine has. Continuous integration asks for all.
func found(t *testing.T, err, missing error) {
	t.Helper()
	if errors.Is(err, missing) && os.Getenv("MAILVANE_REQUIRE_SERVERS") == "" {
		t.Skip(err)
	}
	must(t, err)
}

func idOf(t *testing.T, encoded []byte) string {
	t.Helper()
	var e struct{ ID string }
	must(t, json.Unmarshal(encoded, &e))
	return e.ID
}

func lines(t *testing.T, text []byte) (ids []string) {
	t.Helper()
	for line := range bytes.Lines(text) {
		if line[0] == '{' {
			ids = append(ids, idOf(t, line))
		}
	}
	return ids
}

// TestAllSinks sends events to an endpoint whose routes lead to every destination that runs here: real servers, and Google's and Kafka's clients' own
// test servers. In the middle, some are stopped. Each has every event in the end, and where it can know one again, once.
func TestAllSinks(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	var p *process
	places := []*place{
		httpPlace(t), kafkaPlace(t), natsPlace(t), pubSubPlace(t), rabbitMQPlace(t), redisPlace(t), s3Place(t),
		{name: "File", has: func(t *testing.T) []string {
			text, err := os.ReadFile(filepath.Join(files, "events.jsonl"))
			must(t, err)
			return lines(t, text)
		}},
		{name: "Stdout", has: func(t *testing.T) []string { return lines(t, []byte(p.printed())) }},
	}
	database, list := postgreSQLPlaces(t)
	places = append(places, database)
	p = start(t, allSinks(t, append(places, list)), t.TempDir(), "--file-sinks", files)
	for n := 0; n < fanOut; n += perRequest {
		if n == fanOut/2 {
			for _, d := range places {
				if d.stop != nil {
					must(t, d.stop())
				}
			}
		}
		postBatch(t, p.url, n)
	}
	for _, d := range places {
		if d.start != nil {
			must(t, d.start())
		}
	}
	t.Logf("%-12s %8s %8s", "sink", "events", "distinct")
	for _, d := range places {
		d.holdsAll(t)
	}
	eventually(t, "each hard bounce is on the list once", func() bool { return len(list.has(t)) == fanOut/10 })
	t.Logf("%-12s %8d %8d", "Suppression", fanOut/10, fanOut/10)
	p.stop()
}

func (d *place) holdsAll(t *testing.T) {
	t.Helper()
	var ids []string
	distinct := map[string]bool{}
	eventually(t, "all events are at "+d.name, func() bool {
		ids, distinct = d.has(t), map[string]bool{}
		for _, id := range ids {
			distinct[id] = true
		}
		return len(distinct) == fanOut
	})
	if d.exactly && len(ids) != fanOut {
		t.Errorf("%s has %d, of %d events", d.name, len(ids), fanOut)
	}
	t.Logf("%-12s %8d %8d", d.name, len(ids), len(distinct))
}

// TestTheSampleHasAllSinks but those of AWS, which run nowhere else.
func TestTheSampleHasAllSinks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config/samples/all-sinks/sinks.yaml")
	must(t, err)
	for _, s := range catalogue.Sinks() {
		isOfAWS := s.Type == "SQS" || s.Type == "SNS" || s.Type == "EventBridge"
		if isOfAWS == strings.Contains(string(text), "  type: "+s.Type+"\n") {
			t.Errorf("config/samples/all-sinks and %s", s.Type)
		}
	}
}

// allSinks returns the sample with the addresses of the test's servers.
func allSinks(t *testing.T, places []*place) string {
	t.Helper()
	const sample = "../../config/samples/all-sinks"
	folder := t.TempDir()
	names, err := filepath.Glob(sample + "/*.yaml")
	must(t, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		must(t, err)
		for _, d := range places {
			if d.address != "" {
				text = bytes.ReplaceAll(text, []byte(d.address), []byte(d.is))
			}
		}
		text = bytes.ReplaceAll(text, []byte("username: mailvane, password: only-an-example-password"), []byte("username: "+rabbitmq.Admin+", password: "+rabbitmq.Admin))
		text = bytes.ReplaceAll(text, []byte("only-an-example-secret"), []byte(storage.SigningKey))
		write(t, folder, filepath.Base(name), string(text))
	}
	return folder
}

func postBatch(t *testing.T, url string, from int) {
	t.Helper()
	var items []string
	for n := from; n < from+perRequest; n++ {
		what := `"type":"delivery"`
		if n%10 == 0 {
			what = `"type":"bounce","bounce_class":"10","error_code":"550","raw_reason":"550 5.1.1 User unknown"`
		}
		items = append(items, fmt.Sprintf(`{"msys":{"message_event":{%s,"event_id":"%d","message_id":"m%d","rcpt_to":"to%d@example.com","timestamp":"1767261600"}}}`, what, n, n, n))
	}
	response, err := http.Post(url+"/hooks/mail/sparkpost/only-an-example-of-a-token", "application/json", strings.NewReader("["+strings.Join(items, ",")+"]")) //nolint:noctx // It is short.
	must(t, err)
	body, err := io.ReadAll(response.Body)
	must(t, errors.Join(err, response.Body.Close()))
	if want := fmt.Sprintf(`"accepted":%d`, perRequest); !strings.Contains(string(body), want) {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
}

func httpPlace(t *testing.T) *place {
	t.Helper()
	var mu sync.Mutex
	var ids []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var batch []struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range batch {
			ids = append(ids, e.ID)
		}
	}))
	t.Cleanup(server.Close)
	return &place{name: "HTTP", address: "127.0.0.1:8090", is: server.Listener.Addr().String(), has: func(*testing.T) []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(ids)
	}}
}

func kafkaPlace(t *testing.T) *place {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "mail"))
	must(t, err)
	t.Cleanup(cluster.Close)
	reader, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("mail"))
	must(t, err)
	t.Cleanup(reader.Close)
	var ids []string
	return &place{name: "Kafka", address: "127.0.0.1:9092", is: cluster.ListenAddrs()[0], exactly: true, has: func(t *testing.T) []string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // when nothing comes, there is no more
		defer cancel()
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { ids = append(ids, idOf(t, r.Value)) })
		return ids
	}}
}

func natsPlace(t *testing.T) *place {
	t.Helper()
	servers, err := nats.Start(t.Context(), nats.Options{Servers: 1, Dir: t.TempDir(), Progress: os.Stderr})
	must(t, err)
	t.Cleanup(func() { _ = servers.Close() })
	connection, err := natsclient.Connect(servers.Servers[0].URL())
	must(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	must(t, err)
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.>"}})
	must(t, err)
	return &place{name: "NATS", address: "nats://127.0.0.1:4222", is: servers.Servers[0].URL(), exactly: true, has: func(t *testing.T) (ids []string) {
		t.Helper()
		info, err := stream.Info(t.Context())
		must(t, err)
		for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
			m, err := stream.GetMsg(t.Context(), n)
			must(t, err)
			ids = append(ids, idOf(t, m.Data))
		}
		return ids
	}}
}

func pubSubPlace(t *testing.T) *place {
	t.Helper()
	server := pstest.NewServer()
	t.Cleanup(func() { _ = server.Close() })
	_, err := server.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: "projects/mail-1234/topics/mail-events"})
	must(t, err)
	return &place{name: "PubSub", address: "127.0.0.1:8085", is: server.Addr, has: func(t *testing.T) (ids []string) {
		t.Helper()
		for _, m := range server.Messages() {
			ids = append(ids, idOf(t, m.Data))
		}
		return ids
	}}
}

func rabbitMQPlace(t *testing.T) *place {
	t.Helper()
	server, err := rabbitmq.Start(t.Context(), rabbitmq.Options{})
	found(t, err, rabbitmq.ErrMissing)
	t.Cleanup(func() { _ = server.Close() })
	connection, err := amqp.Dial(fmt.Sprintf("amqp://%[1]s:%[1]s@%[2]s/", rabbitmq.Admin, server.Address))
	must(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	channel, err := connection.Channel()
	must(t, err)
	_, err = channel.QueueDeclare("mail", true, false, false, false, nil)
	must(t, err)
	var ids []string
	return &place{name: "RabbitMQ", address: "127.0.0.1:5672", is: server.Address, stop: server.Pause, start: server.Resume, has: func(t *testing.T) []string {
		t.Helper()
		for {
			m, ok, err := channel.Get("mail", true)
			must(t, err)
			if !ok {
				return ids
			}
			ids = append(ids, idOf(t, m.Body))
		}
	}}
}

func redisPlace(t *testing.T) *place {
	t.Helper()
	server, err := redis.Start(t.Context(), t.TempDir(), "appendonly yes\nappendfsync always\n")
	found(t, err, redis.ErrMissing)
	t.Cleanup(func() { _ = server.Kill() })
	client := redisclient.NewClient(&redisclient.Options{Addr: server.Address, Protocol: 2})
	t.Cleanup(func() { _ = client.Close() })
	return &place{
		name: "Redis", address: "127.0.0.1:6379", is: server.Address, stop: server.Kill, start: func() error { return server.Start(context.Background()) },
		has: func(t *testing.T) (ids []string) {
			t.Helper()
			entries, err := client.XRange(t.Context(), "mail", "-", "+").Result()
			must(t, err)
			for _, e := range entries {
				ids = append(ids, fmt.Sprint(e.Values["id"]))
			}
			return ids
		},
	}
}

func s3Place(t *testing.T) *place {
	t.Helper()
	server, err := storage.Start(t.Context(), t.TempDir(), os.Stderr)
	must(t, err)
	t.Cleanup(func() { _ = server.Kill() })
	client := s3.New(s3.Options{
		Region: storage.Region, BaseEndpoint: aws.String("http://" + server.Address), UsePathStyle: true,
		Credentials: awscredentials.NewStaticCredentialsProvider(storage.AccessKeyID, storage.SigningKey, ""),
	})
	bucket := aws.String("mail-events")
	_, err = client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
	must(t, err)
	objects := map[string][]string{}
	return &place{
		name: "S3", address: "127.0.0.1:9000", is: server.Address, stop: server.Kill, start: func() error { return server.Start(context.Background()) }, exactly: true,
		has: func(t *testing.T) []string {
			t.Helper()
			list := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: bucket})
			for list.HasMorePages() {
				page, err := list.NextPage(t.Context())
				must(t, err)
				for _, o := range page.Contents {
					if objects[*o.Key] != nil {
						continue
					}
					object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: o.Key})
					must(t, err)
					text, err := io.ReadAll(object.Body)
					must(t, errors.Join(err, object.Body.Close()))
					objects[*o.Key] = lines(t, text)
				}
			}
			return slices.Concat(slices.Collect(maps.Values(objects))...)
		},
	}
}

// postgreSQLPlaces are the table of events, and the list of who should get no more mail, in one database.
func postgreSQLPlaces(t *testing.T) (events, list *place) {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Options{})
	found(t, err, postgres.ErrMissing)
	t.Cleanup(func() { _ = server.Close() })
	read := func(sql string) func(t *testing.T) []string {
		return func(t *testing.T) []string {
			t.Helper()
			connection, err := server.Connect(t.Context())
			must(t, err)
			defer connection.Close(t.Context()) //nolint:errcheck // it is over
			rows, err := connection.Query(t.Context(), sql)
			must(t, err)
			ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
			must(t, err)
			return ids
		}
	}
	events = &place{
		name: "PostgreSQL", address: "127.0.0.1:5432", is: server.Address, stop: server.Stop, start: func() error { return server.Start(context.Background()) }, exactly: true,
		has: read("SELECT id FROM mailvane_events"),
	}
	return events, &place{name: "Suppression", has: read("SELECT address FROM mailvane_suppressions WHERE in_force AND class = 'bounce' AND count = 1")}
}
