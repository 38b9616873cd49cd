// Command torture shows that nothing acknowledged is lost. It runs a real receiver process on loopback, sends it signed
// webhooks as a provider does, kills it with SIGKILL at random moments, lets its sinks fail in every way and changes its
// configuration meanwhile. In the end every event that was answered 200 must have arrived at every sink.
//
// With --journal jetstream there are two receivers that share a journal on three NATS servers, and the servers are killed,
// stopped, paused and cut off, too, one at a time.
//
// The last line is "acked=N delivered=N lost=N unfound=N duplicates=N recovered_in=S"; the exit status is 1 when something was lost, or
// is not found in the history of the embedded journal's receiver.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The journals that can be tortured.
const (
	embeddedJournal  = "embedded"
	jetstreamJournal = "jetstream"
)

// options are what a run is made of.
type options struct {
	minutes float64
	seed    uint64
	senders int
	journal string
	binary  string
	out     io.Writer
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(arguments []string, out io.Writer) int {
	o := options{out: out}
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.Float64Var(&o.minutes, "minutes", 1, "how long to torture, 0.05 to 600")
	flags.Uint64Var(&o.seed, "seed", 0, "repeat the decisions of an earlier run; 0 = another run each time")
	flags.IntVar(&o.senders, "senders", 16, "how many senders at a time, 1 to 256")
	flags.StringVar(&o.journal, "journal", embeddedJournal, "embedded or jetstream")
	flags.StringVar(&o.binary, "receiver", "", "the receiver program; empty = build it")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	if o.minutes < 0.05 || o.minutes > 600 || o.senders < 1 || o.senders > 256 {
		fmt.Fprintln(out, "torture: --minutes must be 0.05 to 600 and --senders 1 to 256")
		return 2
	}
	if o.journal != embeddedJournal && o.journal != jetstreamJournal {
		fmt.Fprintln(out, "torture: --journal must be embedded or jetstream")
		return 2
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := torture(ctx, &o)
	if err != nil {
		fmt.Fprintln(out, "torture:", err)
		return 1
	}
	fmt.Fprintln(out, result)
	if result.lost+result.unfound > 0 {
		return 1
	}
	return 0
}
