package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/receiver/config"
	natsserver "github.com/mailvane/mailvane/test/nats"
	"github.com/mailvane/mailvane/test/postgres"
	"github.com/mailvane/mailvane/test/rabbitmq"
	redisserver "github.com/mailvane/mailvane/test/redis"
)

func missing(err, missing error) error {
	if errors.Is(err, missing) {
		return fmt.Errorf("%w: %w", errMissing, err)
	}
	return err
}

func plugin(kind, format string, values ...any) config.Plugin {
	return config.Plugin{Type: kind, Settings: fmt.Appendf(nil, format, values...)}
}

// openPostgreSQL inserts into a table of the id and the event alone, a statement for each batch.
func openPostgreSQL(ctx context.Context, _ *workbench) (*destination, error) {
	server, err := postgres.Start(ctx, postgres.Options{})
	if err != nil {
		return nil, missing(err, postgres.ErrMissing)
	}
	pool, err := pgxpool.New(ctx, "postgres://"+postgres.Superuser+"@"+server.Address+"/postgres?sslmode=disable&pool_max_conns=4")
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return &destination{
		name: "PostgreSQL",
		sink: plugin("PostgreSQL", `{"hosts":[%q],"database":"postgres","createTable":"IfMissing","username":%q,"tlsMode":"Disable"}`, server.Address, postgres.Superuser),
		empty: func(ctx context.Context) error {
			_, err := pool.Exec(ctx, "DROP TABLE IF EXISTS mailvane_events; DROP TABLE IF EXISTS bare; CREATE TABLE bare (id text PRIMARY KEY, event jsonb NOT NULL)")
			return err
		},
		send: func(ctx context.Context, batch []item) error {
			ids, events := make([]string, len(batch)), make([]string, len(batch))
			for i := range batch {
				ids[i], events[i] = batch[i].id, string(batch[i].envelope)
			}
			_, err := pool.Exec(ctx, "INSERT INTO bare SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT DO NOTHING", ids, events)
			return err
		},
		close: func() error {
			pool.Close()
			return server.Close()
		},
	}, nil
}

// openKafka produces to the broker that the client's authors test it with, in this process.
func openKafka(context.Context, *workbench) (*destination, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, "mail"), kfake.BlackholeProduce())
	if err != nil {
		return nil, err
	}
	address := cluster.ListenAddrs()[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic("mail"), kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	return &destination{
		name:  "Kafka",
		sink:  plugin("Kafka", `{"brokers":[%q],"topic":"mail","tlsMode":"Disable"}`, address),
		empty: func(context.Context) error { return nil },
		send: func(ctx context.Context, batch []item) error {
			records := make([]*kgo.Record, len(batch))
			for i := range batch {
				records[i] = &kgo.Record{Key: []byte(batch[i].key), Value: batch[i].envelope}
			}
			return client.ProduceSync(ctx, records...).FirstErr()
		},
		close: func() error {
			client.Close()
			cluster.Close()
			return nil
		},
	}, nil
}

// openNATS publishes to a stream on disk.
func openNATS(ctx context.Context, w *workbench) (*destination, error) {
	servers, err := natsserver.Start(ctx, natsserver.Options{Servers: 1, Dir: w.data(), Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	connection, err := nats.Connect(servers.Servers[0].URL())
	if err != nil {
		return nil, errors.Join(err, servers.Close())
	}
	js, err := jetstream.New(connection, jetstream.WithPublishAsyncMaxPending(posters*perPost))
	if err != nil {
		return nil, errors.Join(err, servers.Close())
	}
	return &destination{
		name: "NATS",
		sink: plugin("NATS", `{"urls":[%q],"subject":"mail.{type}"}`, servers.Servers[0].URL()),
		empty: func(ctx context.Context) error {
			_ = js.DeleteStream(ctx, "MAIL") // it may not be there
			_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "MAIL", Subjects: []string{"mail.>"}})
			return err
		},
		send: func(ctx context.Context, batch []item) error { return publishNATS(ctx, js, batch) },
		close: func() error {
			connection.Close()
			return servers.Close()
		},
	}, nil
}

func publishNATS(ctx context.Context, js jetstream.JetStream, batch []item) error {
	answers := make([]jetstream.PubAckFuture, len(batch))
	for i := range batch {
		m := &nats.Msg{Subject: "mail.event", Header: nats.Header{nats.MsgIdHdr: {batch[i].id}}, Data: batch[i].envelope}
		var err error
		if answers[i], err = js.PublishMsgAsync(m); err != nil {
			return err
		}
	}
	for _, a := range answers {
		select {
		case <-a.Ok():
		case err := <-a.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// openRedis adds to a stream in one pipeline for each batch.
func openRedis(ctx context.Context, w *workbench) (*destination, error) {
	folder := w.data()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	server, err := redisserver.Start(ctx, folder, "")
	if err != nil {
		return nil, missing(err, redisserver.ErrMissing)
	}
	client := redis.NewClient(&redis.Options{Addr: server.Address, PoolSize: 16, Protocol: 2})
	return &destination{
		name:  "Redis",
		sink:  plugin("Redis", `{"addresses":[%q],"stream":"mail","tlsMode":"Disable"}`, server.Address),
		empty: func(ctx context.Context) error { return client.Del(ctx, "mail").Err() },
		send: func(ctx context.Context, batch []item) error {
			pipe := client.Pipeline()
			for i := range batch {
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: "mail", Values: []any{"id", batch[i].id, "event", batch[i].envelope}})
			}
			_, err := pipe.Exec(ctx)
			return err
		},
		close: func() error { return errors.Join(client.Close(), server.Kill()) },
	}, nil
}

// openRabbitMQ publishes to a durable queue, with confirms, on a channel for each batch under way.
func openRabbitMQ(ctx context.Context, _ *workbench) (*destination, error) {
	server, err := rabbitmq.Start(ctx, rabbitmq.Options{})
	if err != nil {
		return nil, missing(err, rabbitmq.ErrMissing)
	}
	connection, err := amqp.Dial(fmt.Sprintf("amqp://%[1]s:%[1]s@%[2]s/", rabbitmq.Admin, server.Address))
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	channels := make(chan *amqp.Channel, posters)
	for range posters {
		c, err := connection.Channel()
		if err := errors.Join(err, c.Confirm(false)); err != nil {
			return nil, errors.Join(err, server.Close())
		}
		channels <- c
	}
	return &destination{
		name: "RabbitMQ",
		sink: plugin("RabbitMQ", `{"addresses":[%q],"routingKey":"mail","tlsMode":"Disable","basic":{"username":%[2]q,"password":%[2]q}}`, server.Address, rabbitmq.Admin),
		empty: func(context.Context) error {
			c := <-channels
			defer func() { channels <- c }()
			if _, err := c.QueueDeclare("mail", true, false, false, false, nil); err != nil {
				return err
			}
			_, err := c.QueuePurge("mail", false)
			return err
		},
		send: func(ctx context.Context, batch []item) error {
			c := <-channels
			defer func() { channels <- c }()
			return publishRabbitMQ(ctx, c, batch)
		},
		close: func() error { return errors.Join(connection.Close(), server.Close()) },
	}, nil
}

func publishRabbitMQ(ctx context.Context, c *amqp.Channel, batch []item) error {
	confirms := make([]*amqp.DeferredConfirmation, len(batch))
	for i := range batch {
		m := amqp.Publishing{MessageId: batch[i].id, DeliveryMode: amqp.Persistent, Body: batch[i].envelope}
		var err error
		if confirms[i], err = c.PublishWithDeferredConfirm("", "mail", true, false, m); err != nil {
			return err
		}
	}
	for _, confirm := range confirms {
		if ok, err := confirm.WaitContext(ctx); err != nil || !ok {
			return errors.Join(err, errNotOK)
		}
	}
	return nil
}
