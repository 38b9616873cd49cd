// Package jetstream keeps the journal in an external NATS JetStream cluster, shared by all replicas of a receiver, which then
// hold nothing themselves.
//
// Two streams, NAME and NAME-dead, hold what one receiver has accepted. NAME has one message per event and sink; what one
// event adds is published as one atomic batch, whose messages carry the event's dedupe keys. NAME-dead has the dead letters.
//
// A sink is fed by one process at a time: the one that made the sink's consumer, which the server allows only one of. What
// is due when is decided in that process. When it ends, the consumer goes with it, and the next one begins with
// everything that is owed, in order.
package jetstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// Options say where the journal is. Only URLs and Name are required.
type Options struct {
	// URLs are the addresses of the servers, such as nats://a:4222 or tls://a:4222.
	URLs []string
	// Name is what the names of the streams begin with: letters, digits, "-" and "_", at most 128, as in a WebhookEndpoint.
	Name string
	// Replicas is on how many servers each event is stored: 1, 3 or 5; 0 = 1.
	Replicas int
	// Credentials is the path of a NATS credentials file. It is read again at every connection, as the following are.
	Credentials string
	// CA is the path of a PEM file with the authorities that sign the servers' certificates; empty = the system's.
	CA string
	// Certificate and Key are the paths of a client certificate and its key in PEM.
	Certificate, Key string
	// MaxBytes is the space at which events are refused; 0 = DefaultMaxBytes.
	MaxBytes int64
	// DedupeWindow is how long a repeated event is recognised; 0 = DefaultDedupeWindow.
	DedupeWindow time.Duration
	// Instance names this process among those that share the journal: no two that run at the same time have the same, and one
	// that takes another's place may have it. It has the other's sinks as soon as the servers say that nobody is there to
	// answer. Empty = nobody takes this one's place at once.
	Instance string
	// Logger takes what an operator has to know; nil = nothing is logged.
	Logger *slog.Logger

	now    func() time.Time     // the clock of the machine
	uptime func() time.Duration // one that does not jump
}

const (
	// DefaultMaxBytes bounds the space of the events.
	DefaultMaxBytes = 8 << 30
	// DefaultDedupeWindow is how long a repeated event is recognised.
	DefaultDedupeWindow = 24 * time.Hour
)

const (
	// requestTimeout bounds one request to the servers.
	requestTimeout = 2 * time.Second
	// pollInterval is how often the streams and the owners of the sinks are looked at.
	pollInterval = time.Second
	// fenceAfter is how long a process hands out events without having seen that its consumer is there.
	fenceAfter = 2500 * time.Millisecond
	// silentFor is how long a process leaves probes unanswered before others take its sinks: longer than it hands out events itself.
	silentFor = fenceAfter + pollInterval
	// moveAfter is how long a server that does not answer is given before another is looked for.
	moveAfter = 3 * time.Second
	// oldestInterval is how often the oldest event of each sink is looked at.
	oldestInterval = 5 * time.Second
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// complete checks o and returns it with the defaults filled in.
func (o Options) complete() (Options, error) {
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.DedupeWindow == 0 {
		o.DedupeWindow = DefaultDedupeWindow
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.uptime == nil {
		began := time.Now()
		o.uptime = func() time.Duration { return time.Since(began) }
	}
	return o, o.check()
}

func (o Options) check() error {
	var errs []error
	if len(o.URLs) == 0 {
		errs = append(errs, errors.New("no address of a NATS server is given"))
	}
	for _, address := range o.URLs {
		errs = append(errs, checkAddress(address))
	}
	if !validName.MatchString(o.Name) {
		errs = append(errs, fmt.Errorf("the name of the streams is %q; it must be 1 to 128 letters, digits, - and _", o.Name))
	}
	if !slices.Contains([]int{1, 3, 5}, o.Replicas) {
		errs = append(errs, fmt.Errorf("there are to be %d replicas; there may be 1, 3 or 5", o.Replicas))
	}
	if (o.Certificate == "") != (o.Key == "") {
		errs = append(errs, errors.New("a client certificate needs its key, and a key its certificate"))
	}
	return errors.Join(errs...)
}

// checkAddress repeats nothing of an address that is wrong: it may hold a password.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
		return errors.New("the address of a NATS server must be like nats://host:4222 or tls://host:4222")
	}
	if u.User != nil {
		return errors.New("the address of a NATS server must hold no password; use a credentials file")
	}
	return nil
}
