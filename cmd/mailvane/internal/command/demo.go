package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
	"github.com/mailvane/mailvane/receiver/app"
)

const demoLong = `Run the quickstart samples in this process: start a receiver on a temporary journal and an HTTP destination, send every
documented request of every provider with a valid signature, and show each event as it reaches the sinks.
Goes on running until it is interrupted; with --once it ends when everything is delivered.`

// demoSettle bounds the wait for the sinks to have everything.
const demoSettle = 30 * time.Second

type demo struct {
	out      io.Writer
	arrivals *arrivals
	instance *app.Instance
	folder   *folder
	counts   struct{ sent, accepted, refused int }
}

func newDemo() *cobra.Command {
	var once bool
	var settings app.Settings
	c := &cobra.Command{
		Use: "demo", Short: "Show the whole way of every provider's events on this machine", Long: demoLong, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for name, address := range map[string]*string{"listen": &settings.Listen, "admin-listen": &settings.AdminListen, "metrics-listen": &settings.MetricsListen} {
				if once && !c.Flags().Changed(name) {
					*address = "127.0.0.1:0"
				}
			}
			return runDemo(c.Context(), &settings, once, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end when everything is delivered")
	settingsFlags(c, &settings, "listen", "admin-listen", "metrics-listen") // the rest is the demo's own
	return c
}

func runDemo(ctx context.Context, settings *app.Settings, once bool, stdout, stderr io.Writer) error {
	work, err := os.MkdirTemp("", "mailvane-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // the system cleans up after us
	d := &demo{out: stdout, arrivals: newArrivals(stdout)}
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
	settings.Data, settings.FileSinks = filepath.Join(work, "data"), filepath.Join(work, "files")
	log := slog.New(slog.NewTextHandler(stderr, nil))
	makeToken(settings)
	d.instance, err = settings.Open(ctx, log, d.arrivals.lines("console"))
	if err != nil {
		return err
	}
	if err := d.instance.Apply(ctx, &d.folder.config); err != nil {
		d.instance.Abandon()
		return err
	}
	_, remove := keepToken(settings, d.instance.AdminAddress(), log)
	defer remove()
	return d.play(ctx, once)
}

// play serves, sends everything, shows what to try by hand, and ends once or when ctx does.
func (d *demo) play(ctx context.Context, once bool) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- d.instance.Run(serving) }()
	err := d.sendEverything(ctx)
	if err == nil {
		err = d.settle(ctx)
	}
	if err == nil && !once {
		d.invite(ctx)
		<-ctx.Done()
	}
	summary := d.summary()
	stop()
	err = errors.Join(err, <-ended)
	if err == nil && once {
		_, err = fmt.Fprintln(d.out, summary)
	}
	return err
}

// sendEverything sends every documented request of every endpoint's provider, as new events.
func (d *demo) sendEverything(ctx context.Context) error {
	client := &http.Client{Timeout: sendTimeout}
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
	d.arrivals.say("\n%s: %d signed requests to %s\n", target.Endpoint.Provider.Type, len(samples), target.Endpoint.Path)
	for i := range samples {
		result, err := post(ctx, client, target, &samples[i])
		if err != nil {
			return err
		}
		d.counts.sent++
		if result.status != http.StatusOK {
			return fmt.Errorf("%s %s was answered %d: %s", target.Endpoint.Name, samples[i].Name, result.status, result.body)
		}
		d.arrivals.say("-> %-28s %d %s\n", samples[i].Name, result.status, result.body)
		if err := d.count(result.body); err != nil {
			return err
		}
	}
	return nil
}
