package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/receiver/netguard"
	"github.com/mailvane/mailvane/receiver/netrange"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// defaultHandoffTimeout is enough for a pod that is just starting to become ready and known.
const defaultHandoffTimeout = 45 * time.Second

// Settings are the process settings of a receiver, the same for every program that runs one.
type Settings struct {
	// Data is the folder of what the receiver keeps itself: the embedded journal is in a folder there.
	Data string
	// FileSinks is the folder that File sinks write below, apart from Data; "" = such sinks are refused.
	FileSinks string
	// Listen, AdminListen and MetricsListen are the addresses of the servers, "host:port".
	Listen, AdminListen, MetricsListen string
	// AdminTokens is a folder with the tokens of each right, and AdminTokenFile a file whose tokens give all of them; see package access.
	AdminTokens, AdminTokenFile string
	// Tracer makes spans; nil = none are made.
	Tracer *tracing.Tracer
	// AdminToken is one more token that gives all of them, for a program that makes it itself.
	AdminToken string
	// TrustedProxies are comma-separated address ranges.
	TrustedProxies string
	// AllowedSinkAddresses are such ranges, and the word [OwnAddresses].
	AllowedSinkAddresses string
	// UnknownPathGrace is how long after the start a path that is not known is answered 503 instead of 404: the configuration in
	// the folder may be older than what was applied, and some providers never retry a 404. 0 = never, for a folder that is read
	// as it is written.
	UnknownPathGrace time.Duration
	// MaxInFlightBytes bounds the memory for requests that are being handled; of intake.DefaultInFlightBytes no more than an eighth of
	// the memory limit is used.
	MaxInFlightBytes int64
	// JournalMaxBytes and JournalMinFreeBytes bound the space of the journal.
	JournalMaxBytes, JournalMinFreeBytes int64
	// DedupeWindow is how long a repeated event is recognised.
	DedupeWindow time.Duration
	// Journal is JournalEmbedded or JournalJetStream.
	Journal string
	// JetStreamURLs are the comma-separated addresses of the NATS servers.
	JetStreamURLs string
	// JetStream says more about them; what is set here or only known in the process is filled in.
	JetStream jetstream.Options
	// History is HistoryEmbedded, HistoryNone, or empty: the former with an embedded journal. HistoryMaxAge and HistoryMaxBytes bound it.
	History         string
	HistoryMaxAge   time.Duration
	HistoryMaxBytes int64
	// FetchKeys allows the receiver to fetch public keys of providers.
	FetchKeys bool
	// ShutdownDelay is how long requests are still served after the receiver has stopped being ready.
	ShutdownDelay time.Duration
	// FlushTimeout bounds the wait at shutdown for sinks to take what they are owed.
	FlushTimeout time.Duration
	// Peers, HandoffKey, HandoffTimeout and TerminationLog say how what is left then gets to another pod; see [Handoff].
	// HandoffKey is the file of the key. It also names the configuration to the manager; see [config.Fingerprint].
	Peers, HandoffKey, TerminationLog string
	HandoffTimeout                    time.Duration
}

// Flags defines a flag for every setting, with the given defaults for the addresses, the data folder and the times of start and stop.
func (s *Settings) Flags(f *flag.FlagSet, defaults Settings) {
	f.StringVar(&s.Data, "data", defaults.Data, "folder of what the receiver keeps, its journal above all")
	f.StringVar(&s.FileSinks, "file-sinks", defaults.FileSinks, "folder that File sinks write below; empty = such sinks are refused")
	f.StringVar(&s.Listen, "listen", defaults.Listen, "address to take webhooks on")
	f.StringVar(&s.AdminListen, "admin-listen", defaults.AdminListen, "address of the admin API, which asks for a token")
	f.StringVar(&s.MetricsListen, "metrics-listen", defaults.MetricsListen, "address of metrics and probes, which tell nothing personal and are open to whoever reaches them")
	s.tokenFlags(f)
	f.StringVar(&s.TrustedProxies, "trusted-proxies", "", "comma-separated address ranges whose X-Forwarded-For is believed")
	f.StringVar(&s.AllowedSinkAddresses, "allow-sink-addresses", defaults.AllowedSinkAddresses, "comma-separated address ranges that sinks and lookups of public keys may connect to although they are link-local, metadata or own addresses; "+OwnAddresses+" = loopback and all addresses of this machine")
	durationFlag(f, &s.UnknownPathGrace, "unknown-path-grace", defaults.UnknownPathGrace, "how long after the start an unknown path is answered 503, which providers retry, instead of 404: the configuration may still be an old one")
	sizeFlag(f, &s.MaxInFlightBytes, "max-in-flight-bytes", intake.DefaultInFlightBytes, "bound on the memory for requests that are being handled; the default is an eighth of the memory limit where that is less")
	sizeFlag(f, &s.JournalMaxBytes, "journal-max-bytes", embedded.DefaultMaxBytes, "space at which the journal refuses events with 503")
	sizeFlag(f, &s.JournalMinFreeBytes, "journal-min-free-bytes", embedded.DefaultMinFreeBytes, "space that the journal leaves free on its file system; 0 = none")
	durationFlag(f, &s.DedupeWindow, "dedupe-window", embedded.DefaultDedupeWindow, "how long a repeated event is recognised")
	s.journalFlags(f)
	s.historyFlags(f)
	f.BoolVar(&s.FetchKeys, "fetch-keys", true, "fetch providers' public keys; without it only pinned keys are known")
	durationFlag(f, &s.ShutdownDelay, "shutdown-delay", defaults.ShutdownDelay, "how long requests are still served after a request to stop")
	durationFlag(f, &s.FlushTimeout, "flush-timeout", defaults.FlushTimeout, "how long to wait for sinks to take what they are owed when stopping")
	f.StringVar(&s.Peers, "peers", "", "host:port whose host resolves to the admin API of all receivers that share a key; what is undelivered when stopping goes to one of them")
	f.StringVar(&s.HandoffKey, "handoff-key", "", "file with the key that those receivers and their manager share, at least 32 bytes")
	durationFlag(f, &s.HandoffTimeout, "handoff-timeout", defaultHandoffTimeout, "how long to look for a receiver that takes what is undelivered when stopping")
	f.StringVar(&s.TerminationLog, "termination-log", "", "file that tells, after the end, how much no other receiver has taken")
}

// OwnAddresses is the word for loopback and the addresses of the machine among the addresses that sinks may connect to.
const OwnAddresses = "self"

// guard returns where sinks, and lookups of public keys, may connect to.
func (s *Settings) guard() (netguard.Guard, error) {
	ranges := fields(s.AllowedSinkAddresses)
	others := slices.DeleteFunc(slices.Clone(ranges), func(r string) bool { return r == OwnAddresses })
	allowed, err := netrange.Parse(others)
	if err != nil {
		return netguard.Guard{}, fmt.Errorf("--allow-sink-addresses: %w", err)
	}
	return netguard.Guard{Allowed: allowed, Own: len(others) == len(ranges)}, nil
}

// Instance is a receiver with its listeners.
type Instance struct {
	*Receiver
	listeners Listeners
}

// Open listens, opens the journal and builds a receiver without endpoints.
func (s *Settings) Open(ctx context.Context, log *slog.Logger, stdout io.Writer) (*Instance, error) {
	trusted, err := netrange.Parse(fields(s.TrustedProxies))
	if err != nil {
		return nil, fmt.Errorf("--trusted-proxies: %w", err)
	}
	guard, err := s.guard()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.checkAmounts(), s.checkFolders(), s.checkHistory()); err != nil {
		return nil, err
	}
	limitMemory(log, memlimit.FromCgroup)
	keys, err := s.adminKeys()
	if err != nil {
		return nil, err
	}
	instance := &Instance{}
	if err := s.listen(ctx, &instance.listeners); err != nil {
		instance.closeListeners()
		return nil, err
	}
	handoff, err := s.handoff(instance.AdminAddress())
	if err != nil {
		instance.closeListeners()
		return nil, err
	}
	j, err := s.openJournal(instance.Address(), log) //nolint:contextcheck // it outlives what opens it
	if err != nil {
		instance.closeListeners()
		return nil, err
	}
	o := Options{
		Journal: j, Logger: log, TrustedProxies: trusted, MaxInFlightBytes: inFlightBytes(s.MaxInFlightBytes), UnknownPathGrace: s.UnknownPathGrace,
		Sinks:         sink.Environment{AllowedPrefixes: guard.Allowed, GuardOwn: guard.Own, Stdout: stdout, Files: s.FileSinks},
		ShutdownDelay: s.ShutdownDelay, FlushTimeout: s.FlushTimeout, Handoff: handoff,
		AdminKeys: keys, AdminHost: hostOf(s.AdminListen), ConfigKey: s.configKey(), Tracer: s.Tracer,
	}
	o.History, o.HistoryProblem = s.openHistory(j, log)
	if s.FetchKeys {
		o.KeyClient = KeyClient(guard)
	}
	instance.Receiver, err = New(o) //nolint:contextcheck // A receiver outlives what makes it.
	if err != nil {
		instance.closeListeners()
		_ = j.Close() // nothing was written
		if o.History != nil {
			_ = o.History.Close() // the same
		}
		return nil, err
	}
	return instance, nil
}

// listen opens the listeners. When one cannot be opened, those before it stay open.
func (s *Settings) listen(ctx context.Context, l *Listeners) error {
	var config net.ListenConfig
	for _, one := range []struct {
		flag, address string
		listener      *net.Listener
	}{{"--listen", s.Listen, &l.Webhooks}, {"--admin-listen", s.AdminListen, &l.Admin}, {"--metrics-listen", s.MetricsListen, &l.Metrics}} {
		if one.address == "" && one.listener != &l.Webhooks {
			continue
		}
		listener, err := config.Listen(ctx, "tcp", one.address)
		if err != nil {
			return fmt.Errorf("%s: %w", one.flag, err)
		}
		*one.listener = listener
	}
	return nil
}

func (i *Instance) closeListeners() {
	for _, l := range []net.Listener{i.listeners.Webhooks, i.listeners.Admin, i.listeners.Metrics} {
		if l != nil {
			_ = l.Close() // nothing was served on it
		}
	}
}

// Address returns where webhooks are taken, "host:port".
func (i *Instance) Address() string { return i.listeners.Webhooks.Addr().String() }

// AdminAddress returns where the admin API is, or "".
func (i *Instance) AdminAddress() string { return addressOf(i.listeners.Admin) }

// MetricsAddress returns where metrics and probes are, or "".
func (i *Instance) MetricsAddress() string { return addressOf(i.listeners.Metrics) }

func addressOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Run serves until ctx ends, then shuts down in order; see [Receiver.Serve].
func (i *Instance) Run(ctx context.Context) error { return i.Serve(ctx, i.listeners) }

// Abandon closes an instance that will not run.
func (i *Instance) Abandon() {
	i.closeListeners()
	i.sinks.Stop()
	_ = i.recorder.Stop(context.Background()) // nothing was kept
	_ = i.options.Journal.Close()             // nothing was accepted
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
