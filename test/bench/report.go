package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// samples are the measurements of one figure, one per repetition.
type samples []float64

func (s *samples) add(v float64) { *s = append(*s, v) }

// median returns the middle value; of an even number the lower of the two, so that it is one that was measured.
func (s *samples) median() float64 {
	sorted := slices.Sorted(slices.Values(*s))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)/2]
}

// figure is one row of the table.
type figure struct {
	name    string
	unit    string // empty for a ratio or a count
	samples samples
	// target is what is aimed at; 0 = nothing, the figure informs. atLeast says that more is better.
	target  float64
	atLeast bool
}

// verdict is empty without a target.
func (f *figure) verdict() string {
	switch m := f.samples.median(); {
	case f.target == 0:
		return ""
	case (f.atLeast && m >= f.target) || (!f.atLeast && m <= f.target):
		return "met"
	default:
		return "SHORT"
	}
}

func (f *figure) wanted() string {
	switch {
	case f.target == 0:
		return ""
	case f.atLeast:
		return ">= " + number(f.target)
	default:
		return "<= " + number(f.target)
	}
}

// number returns three digits or whole numbers.
func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func printTable(out io.Writer, figures []figure) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tUNIT\tMEDIAN\tSPREAD\tTARGET\t")
	for i := range figures {
		f := &figures[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s - %s\t%s\t%s\n", f.name, f.unit, number(f.samples.median()),
			number(slices.Min(f.samples)), number(slices.Max(f.samples)), f.wanted(), f.verdict())
	}
	return t.Flush()
}

// printJSON prints an array for programs.
func printJSON(out io.Writer, figures []figure) error {
	type row struct {
		Name    string    `json:"name"`
		Unit    string    `json:"unit,omitempty"`
		Median  float64   `json:"median"`
		Samples []float64 `json:"samples"`
		Target  string    `json:"target,omitempty"`
		Verdict string    `json:"verdict,omitempty"`
	}
	rows := make([]row, len(figures))
	for i := range figures {
		f := &figures[i]
		rows[i] = row{f.name, f.unit, f.samples.median(), f.samples, f.wanted(), f.verdict()}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
