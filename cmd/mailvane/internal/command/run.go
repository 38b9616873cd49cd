package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
)

const runLong = `Serve the webhook endpoints of a folder of manifests, without a cluster.

The folder holds WebhookEndpoints, EventSinks and the Secrets that they refer to, as they would be applied to a cluster.
A change in the folder is loaded while everything goes on running; a folder with a mistake is refused as a whole, and the
last good one stays in force.`

func newRun() *cobra.Command {
	var settings app.Settings
	var from servedFolder
	c := &cobra.Command{
		Use: "run -f DIR", Short: "Serve the endpoints of a folder of manifests", Long: runLong, Args: namesNoFolder,
		RunE: func(c *cobra.Command, _ []string) error {
			return serveFolder(c.Context(), &settings, from, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	folderFlag(c, &from.folder)
	settingsFlags(c, &settings)
	consoleFlag(c, &from.console)
	return c
}

// defaultFiles is the folder for File sinks on a laptop.
const defaultFiles = "mailvane-files"

func folderFlag(c *cobra.Command, folder *string) {
	c.Flags().StringVarP(folder, "filename", "f", "", "folder (or file) of manifests")
	cobra.CheckErr(c.MarkFlagRequired("filename"))
}

// settingsFlags gives a command the flags of a receiver: those with the names, or all.
func settingsFlags(c *cobra.Command, settings *app.Settings, names ...string) {
	flags := flag.NewFlagSet(c.Name(), flag.ContinueOnError)
	settings.Flags(flags, app.Settings{
		Data: "mailvane-data", FileSinks: defaultFiles, Listen: "127.0.0.1:8080", AdminListen: defaultAdmin, MetricsListen: defaultMetrics,
		AllowedSinkAddresses: app.OwnAddresses, FlushTimeout: 3 * time.Second,
	})
	flags.VisitAll(func(f *flag.Flag) {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			c.Flags().AddGoFlag(f)
		}
	})
}

// servedFolder is what is served: a folder of manifests, and where its console is; empty = nowhere.
type servedFolder struct{ folder, console string }

func serveFolder(ctx context.Context, settings *app.Settings, from servedFolder, stdout, stderr io.Writer) error {
	if err := reportProblems(ctx, stderr, from.folder, settings.FileSinks); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	spans := telemetry.Start(ctx, telemetry.Options{Service: "mailvane", Logger: log, Getenv: os.Getenv})
	defer spans.Stop(ctx)
	settings.Tracer = spans.Tracer()
	makeToken(settings)
	instance, err := settings.Open(ctx, log, stdout)
	if err != nil {
		return err
	}
	if err := instance.Follow(ctx, from.folder, func() (*config.Config, error) { return loadConfig(ctx, from.folder, settings.FileSinks) }); err != nil {
		instance.Abandon() //nolint:contextcheck // What has to end, ends whatever the context says.
		return err
	}
	path, remove := keepToken(settings, instance.AdminAddress(), log)
	defer remove()
	stop, err := openOwnConsole(ctx, from.console, settings, instance.AdminAddress(), stderr)
	if err != nil {
		instance.Abandon() //nolint:contextcheck // What has to end, ends whatever the context says.
		return err
	}
	defer stop()
	printEndpoints(stderr, instance, path)
	return instance.Run(ctx)
}

// printEndpoints tells where each endpoint can be reached, and what else there is.
func printEndpoints(w io.Writer, instance *app.Instance, tokenPath string) {
	for _, e := range instance.Endpoints() {
		fmt.Fprintf(w, "%s (%s): http://%s%s\n", e.Name, e.Provider, instance.Address(), e.Path)
	}
	if address := instance.MetricsAddress(); address != "" {
		fmt.Fprintf(w, "metrics and probes: http://%s\n", address)
	}
	switch address := instance.AdminAddress(); {
	case address == "":
	case tokenPath == "":
		fmt.Fprintf(w, "admin API: http://%s\n", address)
	default:
		fmt.Fprintf(w, "admin API: http://%s (its token, which your other commands find: %s)\n", address, tokenPath)
	}
}
