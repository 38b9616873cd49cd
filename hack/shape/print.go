package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Functions longer than this, and blocks deeper, are counted.
const (
	longLines  = 60
	deepBlocks = 4
)

// print writes the table, and then a row for each folder with 300 lines or more.
func (t *tree) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	lines, long, deep := t.lengths()
	product, tests := 0, 0
	for _, f := range t.folders {
		product, tests = product+f.product, tests+f.tests
	}
	worst := slices.MaxFunc(t.functions, func(a, b function) int { return cmp.Compare(a.cyclomatic, b.cyclomatic) })
	most := slices.MaxFunc(t.functions, func(a, b function) int { return cmp.Compare(a.parameters, b.parameters) })
	for _, row := range [][2]string{
		{"packages", fmt.Sprint(len(t.folders))},
		{"files p50/p90/max lines", spread(t.files)},
		{"functions p50/p90/max lines", spread(lines)},
		{fmt.Sprintf("functions > %d lines", longLines), share(long, len(t.functions))},
		{fmt.Sprintf("nesting >= %d", deepBlocks), share(deep, len(t.functions))},
		{"cyclomatic max", fmt.Sprintf("%d %s", worst.cyclomatic, worst.name)},
		{"parameters max", fmt.Sprintf("%d %s", most.parameters, most.name)},
		{"exported documented", share(t.documented, t.exported)},
		{"interface methods p50/p90/max", spread(t.interfaces)},
		{"product lines", fmt.Sprint(product)},
		{"test : product, in the same folders", ratio(tests, product)},
		{"test : product, with suites and harnesses", ratio(tests+t.beside, product)},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "folder\tproduct\ttests\tratio")
	for _, name := range slices.Sorted(maps.Keys(t.folders)) {
		if f := t.folders[name]; f.product >= 300 {
			fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", name, f.product, f.tests, ratio(f.tests, f.product))
		}
	}
	for _, top := range roots() {
		sum := folder{}
		for name, f := range t.folders {
			if name == top || strings.HasPrefix(name, top+"/") {
				sum.product, sum.tests = sum.product+f.product, sum.tests+f.tests
			}
		}
		fmt.Fprintf(w, "%s in all\t%d\t%d\t%s\n", top, sum.product, sum.tests, ratio(sum.tests, sum.product))
	}
	return w.Flush()
}

// lengths returns the lengths of the functions, and how many are long or deep.
func (t *tree) lengths() (lines []int, long, deep int) {
	for _, f := range t.functions {
		lines = append(lines, f.lines)
		if f.lines > longLines {
			long++
		}
		if f.nesting >= deepBlocks {
			deep++
		}
	}
	return lines, long, deep
}

func spread(values []int) string {
	if len(values) == 0 {
		return "-"
	}
	slices.Sort(values)
	return fmt.Sprintf("%d/%d/%d (%d)", values[len(values)/2], values[len(values)*9/10], values[len(values)-1], len(values))
}

func share(part, whole int) string {
	return fmt.Sprintf("%.1f %% (%d of %d)", 100*float64(part)/float64(max(whole, 1)), part, whole)
}

func ratio(a, b int) string { return fmt.Sprintf("%.2f", float64(a)/float64(max(b, 1))) }
