// Command manager runs the controllers: it turns WebhookEndpoints and EventSinks into receivers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/controllers"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/registration/upkeep"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/internal/printable"
	"github.com/mailvane/mailvane/internal/telemetry"
)

// leaderElectionID is the name of the Lease that replicas of the manager compete for, unless a flag says another.
const leaderElectionID = "manager.mailvane.dev"

// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create,namespace=mailvane-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;update,resourceNames=manager.mailvane.dev,namespace=mailvane-system
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=mailvane-system
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=create,namespace=mailvane-system
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;update,resourceNames=manager.mailvane.dev-hosts,namespace=mailvane-system

func main() { os.Exit(run(os.Args[1:])) }

// settings are the flags.
type settings struct {
	receiverImage    string
	receiverDefaults string
	limits           string
	metricsFrom      string
	egress           string
	namespace        string
	watchNamespaces  string
	metricsAddress   string
	probeAddress     string
	leaderElect      bool
	leaderElectionID string
	interval         time.Duration
}

func (s *settings) define(f *flag.FlagSet) {
	f.StringVar(&s.receiverImage, "receiver-image", "", "container image of receivers; required")
	f.StringVar(&s.receiverDefaults, "receiver-defaults", "", "file, in YAML, with the fields of spec.receiver of a WebhookEndpoint: what receivers are like unless their endpoint says otherwise")
	f.StringVar(&s.limits, "limits", "", "file, in YAML, with what endpoints may ask for: ingressAnnotations, hosts, priorityClassNames, tolerationKeys, maxReplicas; what it does not say has a safe default")
	f.StringVar(&s.metricsFrom, "receiver-metrics-from", "", "file, in YAML, with a list of NetworkPolicy peers: who may reach metrics and probes of receivers; none = everybody")
	f.StringVar(&s.egress, "receiver-egress", "", "file, in YAML, with a list of egress rules of a NetworkPolicy: what receivers may connect to, beside name servers and each other; none = anything")
	f.DurationVar(&s.interval, "registration-interval", upkeep.DefaultInterval, "how often webhooks that are registered at providers are looked at")
	f.StringVar(&s.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "namespace that the manager runs in; required (default: the environment's POD_NAMESPACE)")
	f.StringVar(&s.watchNamespaces, "watch-namespaces", "", "comma-separated namespaces to look after; empty = all")
	f.StringVar(&s.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics; 0 = none")
	f.StringVar(&s.probeAddress, "health-probe-bind-address", ":8081", "address of the probes; 0 = none")
	f.BoolVar(&s.leaderElect, "leader-elect", true, "work only while holding a Lease")
	f.StringVar(&s.leaderElectionID, "leader-election-id", leaderElectionID, "name of that Lease, which managers that are independent of each other must not share in one namespace")
}

func (s *settings) validate() error {
	switch {
	case s.receiverImage == "":
		return errors.New("--receiver-image is required")
	case s.namespace == "":
		return errors.New("--namespace is required")
	case s.interval < time.Second:
		return errors.New("--registration-interval must be a second or more")
	case s.leaderElectionID == "":
		return errors.New("--leader-election-id is required: it also names the ConfigMap that says which namespace has which host")
	}
	return nil
}

func run(arguments []string) int {
	var s settings
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	s.define(flags)
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(printable.NewWriter(os.Stderr), nil))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if err := start(&s); err != nil {
		log.Error(err, "manager failed")
		return 1
	}
	return 0
}

func start(s *settings) error {
	if err := s.validate(); err != nil {
		return err
	}
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	return serve(ctrl.SetupSignalHandler(), cluster, s)
}

// serve runs the controllers until ctx ends.
func serve(ctx context.Context, cluster *rest.Config, s *settings) error {
	defaults, err := loadDefaults(ctx, s.receiverDefaults)
	if err != nil {
		return err
	}
	allowed, err := loadLimits(s.limits)
	if err != nil {
		return err
	}
	options := children.Options{Image: s.receiverImage, ManagerNamespace: s.namespace, Defaults: defaults, Environment: telemetry.Environment(os.Environ())}
	if err := loadNetwork(s, &options); err != nil {
		return err
	}
	mgr, err := newManager(cluster, s)
	if err != nil {
		return err
	}
	judges, err := checks.New("") // no receiver of a cluster has a folder for File sinks
	if err != nil {
		return fmt.Errorf("prepare checks: %w", err)
	}
	spans := telemetry.Start(ctx, telemetry.Options{Service: "mailvane-manager", Logger: slog.New(logr.ToSlogHandler(ctrl.Log)), Getenv: os.Getenv})
	defer spans.Stop(ctx)
	registrations, err := newRegistration(s, spans)
	if err != nil {
		return err
	}
	err = controllers.Setup(ctx, mgr, controllers.Options{
		Receiver: options,
		Checks:   judges,
		Pods:     program.NewHTTPPods(),
		Limits:   allowed,

		Registration: registrations,
		Claims:       client.ObjectKey{Namespace: s.namespace, Name: s.leaderElectionID + "-hosts"},
	})
	if err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run manager: %w", err)
	}
	return nil
}

func newManager(cluster *rest.Config, s *settings) (ctrl.Manager, error) {
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(cluster, ctrl.Options{
		Scheme: scheme,
		Cache:  controllers.CacheOptions(namespaces(s.watchNamespaces)),
		// A Lease that is given back at the end lets the next replica take over at once.
		LeaderElection: s.leaderElect, LeaderElectionID: s.leaderElectionID, LeaderElectionNamespace: s.namespace, LeaderElectionReleaseOnCancel: true,
		Metrics:                metricsserver.Options{BindAddress: s.metricsAddress},
		HealthProbeBindAddress: s.probeAddress,
	})
	if err != nil {
		return nil, fmt.Errorf("start manager: %w", err)
	}
	for name, add := range map[string]func(string, healthz.Checker) error{"healthz": mgr.AddHealthzCheck, "readyz": mgr.AddReadyzCheck} {
		if err := add(name, healthz.Ping); err != nil {
			return nil, fmt.Errorf("add %s: %w", name, err)
		}
	}
	return mgr, nil
}

func namespaces(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
