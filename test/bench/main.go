// Command bench measures a receiver against floors that are measured in the same run on the same machine: ratios carry over to
// other machines, figures do not. Every measurement alternates with that of its floor, and is repeated.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// options say how much is measured.
type options struct {
	repeat   int
	requests int
	backlog  int
	output   string
	only     string
	binary   string
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(arguments []string, out io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, arguments, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

func command(ctx context.Context, arguments []string, out io.Writer) error {
	if len(arguments) == 4 && arguments[0] == "serve" {
		return serve(ctx, arguments[1], arguments[2], arguments[3])
	}
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	figures, err := measureAll(ctx, o)
	if len(figures) == 0 {
		return err
	}
	if o.output == "json" { // what was measured before an error is good
		return errors.Join(printJSON(out, figures), err)
	}
	return errors.Join(printTable(out, figures), err)
}

// serve is one of the processes that this program starts of itself. folder is a new one for what it stores.
func serve(ctx context.Context, what, address, folder string) error {
	switch what {
	case "floor":
		return serveFloor(ctx, address)
	case "durable-floor":
		return serveDurableFloor(ctx, address, folder)
	default:
		return serveSink(ctx, address)
	}
}

func parse(arguments []string) (*options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.repeat, "repeat", 5, "how often each figure is measured")
	flags.IntVar(&o.requests, "requests", 60_000, "requests per measurement")
	flags.IntVar(&o.backlog, "backlog", 1_000_000, "events of the backlog")
	flags.StringVar(&o.output, "o", "table", "table or json")
	flags.StringVar(&o.binary, "receiver", "", "the receiver program, for example of an earlier release; it starts on backlogs only if its journal has the same format; empty = build it")
	flags.StringVar(&o.only, "only", "", "comma-separated groups to measure: "+strings.Join(groupNames(), ", ")+"; empty = all")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if o.repeat < 1 || o.requests < 1000 || o.backlog < 1000 || (o.output != "table" && o.output != "json") {
		return nil, errors.New("-repeat must be at least 1, -requests and -backlog at least 1000, -o table or json")
	}
	return &o, nil
}

// group is a set of figures that are measured together.
type group struct {
	name    string
	measure func(context.Context, *workbench, *options) ([]figure, error)
}

func groups() []group {
	return []group{{"intake", intake}, {"endpoints", manyEndpoints}, {"batches", batches}, {"start", startups}, {"drain", drains}, {"sinks", destinations}, {"history", histories}, {"manager", manager}, {"providers", providers}}
}

func groupNames() []string {
	var names []string
	for _, g := range groups() {
		names = append(names, g.name)
	}
	return names
}

func measureAll(ctx context.Context, o *options) (figures []figure, err error) {
	folder, err := os.MkdirTemp("", "mailvane-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	w, err := newWorkbench(ctx, folder, o.binary)
	if err != nil {
		return nil, err
	}
	defer w.close()
	for _, g := range groups() {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+g.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "Measuring: %s.\n", g.name)
		measured, err := g.measure(ctx, w, o)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", g.name, err)
		}
		figures = append(figures, measured...)
	}
	return figures, nil
}
