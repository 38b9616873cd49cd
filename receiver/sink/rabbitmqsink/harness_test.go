package rabbitmqsink_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/rabbitmqsink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/rabbitmq"
)

const (
	// password is that of the sink, which no error may hold.
	password = "s3cret-8d1f"
	// required has the tests fail where there is no server. Continuous integration sets it.
	required = "MAILVANE_REQUIRE_SERVERS"
	exchange = "mail"
	queue    = "events"
	// maxMessage is what the servers of the tests take.
	maxMessage = 64 << 10
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shared is the server of all tests but those that stop it.
var shared struct {
	sync.Mutex
	server *rabbitmq.Server
	err    error
	number atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// serve returns a server, or skips the test where there is none.
func serve(t *testing.T, server *rabbitmq.Server, err error) *rabbitmq.Server {
	t.Helper()
	if errors.Is(err, rabbitmq.ErrMissing) && os.Getenv(required) == "" {
		t.Skip(err)
	}
	must(t, err)
	return server
}

func sharedServer(t *testing.T) *rabbitmq.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = rabbitmq.Start(context.Background(), rabbitmq.Options{Config: fmt.Sprintf("max_message_size = %d", maxMessage)})
	}
	return serve(t, shared.server, shared.err)
}

// ownServer returns a server that the test may stop.
func ownServer(t *testing.T, o rabbitmq.Options) *rabbitmq.Server {
	t.Helper()
	server, err := rabbitmq.Start(t.Context(), o)
	server = serve(t, server, err)
	t.Cleanup(func() { must(t, server.Close()) })
	return server
}

// destination is a virtual host of a server, with a user of its own, and an exchange with a queue.
type destination struct {
	server *rabbitmq.Server
	name   string
}

func newDestination(t *testing.T, server *rabbitmq.Server) *destination {
	t.Helper()
	d := &destination{server: server, name: fmt.Sprintf("v%d", shared.number.Add(1))}
	d.do(t, "PUT", "vhosts/"+d.name, "")
	d.do(t, "PUT", "permissions/"+d.name+"/"+rabbitmq.Admin, `{"configure":".*","write":".*","read":".*"}`)
	d.reset(t)
	return d
}

func (d *destination) do(t *testing.T, method, path, body string) {
	t.Helper()
	_, err := d.server.Do(t.Context(), method, path, body)
	must(t, err)
}

// mend has the sink's user connect, and write to that exchange, to another one, and to queues.
func (d *destination) mend(t *testing.T) {
	t.Helper()
	d.do(t, "PUT", "users/"+d.name, `{"password":"`+password+`","tags":""}`)
	d.permit(t, "^(mail|other|amq.default)$")
}

func (d *destination) permit(t *testing.T, write string) {
	t.Helper()
	d.do(t, "PUT", "permissions/"+d.name+"/"+d.name, `{"configure":"^$","write":"`+write+`","read":"^$"}`)
}

// reset ends whatever fails, and empties the queue.
func (d *destination) reset(t *testing.T) {
	t.Helper()
	d.do(t, "DELETE", "users/"+d.name, "") // which ends its connections
	d.mend(t)
	d.do(t, "DELETE", "queues/"+d.name+"/"+queue, "")
	d.queue(t, "{}")
}

// queue declares the queue of all that is published.
func (d *destination) queue(t *testing.T, arguments string) {
	t.Helper()
	d.do(t, "PUT", "exchanges/"+d.name+"/"+exchange, `{"type":"topic","durable":true}`)
	d.do(t, "PUT", "queues/"+d.name+"/"+queue, `{"durable":true,"arguments":`+arguments+`}`)
	d.do(t, "POST", "bindings/"+d.name+"/e/"+exchange+"/q/"+queue, `{"routing_key":"mail.#"}`)
}

// ask calls use with a channel of the test.
func (d *destination) ask(t *testing.T, use func(*amqp.Channel)) {
	t.Helper()
	conn, err := amqp.Dial(fmt.Sprintf("amqp://%[1]s:%[1]s@%[2]s/%[3]s", rabbitmq.Admin, d.server.Address, url.PathEscape(d.name)))
	must(t, err)
	defer conn.Close() //nolint:errcheck // it says nothing
	c, err := conn.Channel()
	must(t, err)
	use(c)
}

// all takes the messages out of the queue, and puts them back.
func (d *destination) all(t *testing.T) (messages []amqp.Delivery) {
	t.Helper()
	d.ask(t, func(c *amqp.Channel) {
		for {
			m, ok, err := c.Get(queue, false)
			must(t, err)
			if !ok {
				return
			}
			messages = append(messages, m)
		}
	})
	return messages
}

func (d *destination) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range d.all(t) {
		ids = append(ids, m.MessageId)
	}
	return ids
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"addresses":[%q],"virtualHost":%q,"exchange":%q,"routingKey":"mail.{type}","tlsMode":"Disable","basic":{"username":%q,"password":%q}%s}`,
		d.server.Address, d.name, exchange, d.name, password, more)
}

// open opens a sink with settings beside those that lead to the destination.
func (d *destination) open(t *testing.T, more string) sink.Sink { return openWith(t, d.settings(more)) }

func openWith(t *testing.T, settings string) sink.Sink {
	t.Helper()
	s, err := rabbitmqsink.Kind().New([]byte(settings), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (d *destination) fail(change func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		d.reset(t)
		change(t)
	}
}

// harness has what one virtual host can do. That a server is away or stalls is tried with one of its own.
func (d *destination) harness() sinktest.Harness {
	return sinktest.Harness{
		Kind: rabbitmqsink.Kind(), Settings: d.settings(""), Secrets: []string{password}, Received: d.received,
		Break: func(t *testing.T) { d.do(t, "DELETE", "users/"+d.name, "") },
		Mend:  d.mend,
		Bound: func(t *testing.T, bytes int) {
			if bytes != maxMessage {
				t.Fatalf("the server takes %d bytes, not %d", maxMessage, bytes)
			}
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Transient: d.fail(func(t *testing.T) {
				d.do(t, "DELETE", "queues/"+d.name+"/"+queue, "")
				d.queue(t, `{"x-max-length":0,"x-overflow":"reject-publish"}`)
			}),
			sinktest.BadCredential: d.fail(func(t *testing.T) { d.do(t, "DELETE", "users/"+d.name, "") }),
			sinktest.NoDestination: d.fail(func(t *testing.T) { d.do(t, "DELETE", "exchanges/"+d.name+"/"+exchange, "") }),
		},
	}
}
