package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/printable"
)

// outputFlag adds -o to a command that lists something.
func outputFlag(c *cobra.Command, format *string) {
	c.Flags().StringVarP(format, "output", "o", "table", "output format: table or json")
}

// table is what a command lists.
type table struct {
	header []string
	rows   [][]string
}

// write writes value as JSON, or the table for people.
func write(w io.Writer, format string, value any, t table) error {
	switch format {
	case "json":
		if err := json.MarshalWrite(w, value, jsontext.WithIndent("  "), json.Deterministic(true)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		_, err := fmt.Fprintln(w)
		return err
	case "table":
		return t.write(w)
	default:
		return fmt.Errorf("unknown output format %q: use table or json", format)
	}
}

func (t *table) write(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(columns, strings.Join(t.header, "\t"))
	for _, row := range t.rows {
		fmt.Fprintln(columns, strings.Join(oneLine(row), "\t"))
	}
	return columns.Flush()
}

// oneLine keeps what providers and sinks wrote from breaking the table.
func oneLine(row []string) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		out[i] = printable.Text(cell)
	}
	return out
}
