package command

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

const salvageLong = `Read what can be read of a journal that cannot be opened, and make a new journal of it.

DIR is the folder of the journal: journal/ in a receiver's --data, or that --data itself. No receiver may have it open. Its files stay as
they are. The new journal is made in --to; to go on with it, move DIR away and put the new one in its place. Some of what was delivered
not long ago may be delivered again.`

func newJournal() *cobra.Command {
	c := &cobra.Command{Use: "journal", Short: "Mend the embedded journal of a receiver", Args: cobra.NoArgs}
	c.AddCommand(newSalvage())
	return c
}

func newSalvage() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "salvage DIR [--to NEWDIR]", Short: "Make a new journal of what can be read of a damaged one", Long: salvageLong, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			return salvage(c.OutOrStdout(), arguments[0], to)
		},
	}
	c.Flags().StringVar(&to, "to", "", `folder of the new journal, which is not there or empty (default: DIR with ".salvaged" added)`)
	return c
}

func salvage(out io.Writer, from, to string) error {
	from = filepath.Clean(from)
	if info, err := os.Stat(filepath.Join(from, app.JournalFolder)); err == nil && info.IsDir() {
		from = filepath.Join(from, app.JournalFolder)
	}
	if to == "" {
		to = from + ".salvaged"
	}
	found, err := embedded.Salvage(from, to, embedded.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("salvage %s: %w", from, err)
	}
	return printSalvaged(out, to, &found)
}

func printSalvaged(out io.Writer, to string, found *embedded.Salvaged) error {
	p := &printer{out: out}
	p.line("%s: %d events, %d dead letters", to, found.Events, found.DeadLetters)
	for _, sink := range slices.Sorted(maps.Keys(found.Owed)) {
		p.line("owed to %s: %d", sink, found.Owed[sink])
	}
	for _, sink := range slices.Sorted(maps.Keys(found.Lost)) {
		name := sink
		if name == "" {
			name = "unknown sinks"
		}
		p.line("lost of %s: %d, of which some may have been delivered", name, found.Lost[sink])
	}
	for _, damaged := range found.Damaged {
		p.line("damaged %s", damaged)
	}
	if len(found.Damaged) == 0 {
		p.line("no table and no log was damaged")
	}
	return p.err
}

// printer writes lines and keeps the first error.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, arguments ...any) {
	_, err := fmt.Fprintf(p.out, format+"\n", arguments...)
	p.err = errors.Join(p.err, err)
}
