// Command receiver is the data plane in a cluster: it reads one configuration folder and nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/mailvane/mailvane/internal/printable"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
)

// gcPercent keeps the peaks of memory low while a backlog is delivered, which makes much garbage beside what the journal holds;
// GOGC overrides it.
const gcPercent = 80

// unknownPathGrace is longer than a mounted Secret can lag behind the API server. The kubelet looks at it when it syncs the pod,
// every minute by default and up to half a minute later, and gets it from a cache that has a delay of its own:
// https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
const unknownPathGrace = 2 * time.Minute

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(os.Args[1:]))
}

func run(arguments []string) int {
	flags := flag.NewFlagSet("receiver", flag.ContinueOnError)
	folder := flags.String("config", "/etc/mailvane", "folder with "+config.FileName)
	var settings app.Settings
	settings.Flags(flags, app.Settings{
		Data: "/var/lib/mailvane", Listen: ":8080", AdminListen: ":9090", MetricsListen: ":9091",
		UnknownPathGrace: unknownPathGrace, ShutdownDelay: 5 * time.Second, FlushTimeout: 15 * time.Second,
	})
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	log := slog.New(slog.NewJSONHandler(printable.NewWriter(os.Stderr), nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spans := telemetry.Start(ctx, telemetry.Options{Service: "mailvane-receiver", Logger: log, Getenv: os.Getenv})
	defer spans.Stop(ctx)
	settings.Tracer = spans.Tracer()
	if err := serve(ctx, &settings, *folder, log); err != nil {
		log.Error("receiver failed", "error", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, settings *app.Settings, folder string, log *slog.Logger) error {
	instance, err := settings.Open(ctx, log, os.Stdout)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := instance.Follow(ctx, folder, func() (*config.Config, error) { return config.Load(folder) }); err != nil {
		instance.Abandon() //nolint:contextcheck // What has to end, ends whatever the context says.
		return fmt.Errorf("start: %w", err)
	}
	log.Info("receiver serves", "webhooks", instance.Address(), "admin", instance.AdminAddress(), "metrics", instance.MetricsAddress())
	return instance.Run(ctx)
}
