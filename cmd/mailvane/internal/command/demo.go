package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
)

const demoLong = `Run the quickstart samples in this process: start a receiver on a temporary journal and an HTTP destination, send every
documented request of every provider with a valid signature, and show what became of them, a line for each provider.
Goes on running until it is interrupted; with --once it ends when everything is delivered. --verbose shows each request,
and each event as it reaches a sink.`

// demoSettle bounds the wait for the sinks to have everything.
const demoSettle = 30 * time.Second

type demo struct {
	demoOptions
	out      io.Writer
	arrivals *arrivals
	instance *app.Instance
	folder   *folder
	tallies  []*tally
}

type demoOptions struct {
	// console is where the web page is served; empty = nowhere.
	console       string
	once, verbose bool
	provider      string // "" = all of them
}

func newDemo() *cobra.Command {
	var options demoOptions
	var settings app.Settings
	c := &cobra.Command{
		Use: "demo", Short: "Show the whole way of every provider's events on this machine", Long: demoLong, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for name, address := range map[string]*string{"listen": &settings.Listen, "admin-listen": &settings.AdminListen, "metrics-listen": &settings.MetricsListen} {
				if options.once && !c.Flags().Changed(name) {
					*address = "127.0.0.1:0"
				}
			}
			return runDemo(c.Context(), &settings, options, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&options.once, "once", false, "end when everything is delivered")
	c.Flags().BoolVarP(&options.verbose, "verbose", "v", false, "show each request, and each event as it reaches a sink")
	c.Flags().StringVar(&options.provider, "provider", "", "send the requests of one provider alone, such as Postmark")
	settingsFlags(c, &settings, "listen", "admin-listen", "metrics-listen") // the rest is the demo's own
	consoleFlag(c, &options.console)
	return c
}

func runDemo(ctx context.Context, settings *app.Settings, options demoOptions, stdout, stderr io.Writer) error {
	work, err := os.MkdirTemp("", "mailvane-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // the system cleans up after us
	d := &demo{demoOptions: options, out: stdout, arrivals: newArrivals(stdout, options.verbose)}
	destination, err := startDestination(ctx, d.arrivals)
	if err != nil {
		return err
	}
	defer destination.stop()
	if err := writeQuickstart(work, destination.url()); err != nil {
		return err
	}
	if d.folder, err = loadFolder(ctx, work, work); err != nil {
		return err
	}
	if err := only(&d.folder.config, options.provider); err != nil {
		return err
	}
	settings.Data, settings.FileSinks = filepath.Join(work, "data"), filepath.Join(work, "files")
	log := slog.New(slog.NewTextHandler(stderr, nil))
	makeToken(settings)
	d.instance, err = settings.Open(ctx, log, d.arrivals.lines("console"))
	if err != nil {
		return err
	}
	if err := d.instance.Apply(ctx, &d.folder.config); err != nil {
		d.instance.Abandon() //nolint:contextcheck // What has to end, ends whatever the context says.
		return err
	}
	_, remove := keepToken(settings, d.instance.AdminAddress(), log)
	defer remove()
	stop, err := openOwnConsole(ctx, options.console, settings, d.instance.AdminAddress(), stdout)
	if err != nil {
		d.instance.Abandon() //nolint:contextcheck // What has to end, ends whatever the context says.
		return err
	}
	defer stop()
	return d.play(ctx)
}

// only leaves the endpoints of one provider in a configuration; a provider of "" leaves all.
func only(c *config.Config, provider string) error {
	if provider == "" {
		return nil
	}
	var known []string
	kept := c.Endpoints[:0:0]
	for _, e := range c.Endpoints {
		known = append(known, e.Provider.Type)
		if strings.EqualFold(e.Provider.Type, provider) {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		slices.Sort(known)
		return fmt.Errorf("no provider is called %q; use one of %s", provider, strings.Join(known, ", "))
	}
	c.Endpoints = kept
	return nil
}

// play serves, sends everything, shows what to try by hand, and ends once or when ctx does.
func (d *demo) play(ctx context.Context) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- d.instance.Run(serving) }()
	err := d.sendEverything(ctx)
	if err == nil {
		err = d.settle(ctx)
	}
	if err == nil && !d.once {
		d.invite(ctx)
		<-ctx.Done()
	}
	report := d.report()
	stop()
	err = errors.Join(err, <-ended)
	if err == nil && d.once {
		err = report.write(d.out)
	}
	return err
}

// sendEverything sends every documented request of every endpoint's provider, as new events.
func (d *demo) sendEverything(ctx context.Context) error {
	client := &http.Client{Timeout: sendTimeout}
	d.arrivals.say("Sending every documented request of %s.\n", cmp.Or(d.provider, "every provider"))
	for i := range d.folder.config.Endpoints {
		target, err := d.folder.target(&d.folder.config.Endpoints[i])
		if err != nil {
			return err
		}
		target.BaseURL = "http://" + d.instance.Address()
		if err := d.sendTo(ctx, client, target); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) sendTo(ctx context.Context, client *http.Client, target *sender.Target) error {
	samples, err := target.Vendor.Samples()
	if err != nil {
		return err
	}
	t := &tally{provider: target.Endpoint.Provider.Type, source: event.Source(target.Endpoint.Namespace, target.Endpoint.Name)}
	d.tallies = append(d.tallies, t)
	d.arrivals.tell("\n%s: %d signed requests to %s\n", t.provider, len(samples), target.Endpoint.Path)
	for i := range samples {
		result, err := post(ctx, client, target, &samples[i])
		if err != nil {
			return err
		}
		if result.status != http.StatusOK {
			return fmt.Errorf("%s %s was answered %d: %s", target.Endpoint.Name, samples[i].Name, result.status, result.body)
		}
		d.arrivals.tell("-> %-28s %d %s\n", samples[i].Name, result.status, result.body)
		t.count(result.body)
	}
	return nil
}
