// Command shape measures the shape of the product's code, so that a change of structure can be judged by figures: the sizes of files
// and functions, nesting, documentation, interfaces, and the lines of tests for each line of product, as a table and by folder.
//
// The product is what stands in receiver, controllers, cmd, api, config and internal, without generated code, tests, and the suites and
// harnesses that only tests import.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(arguments []string, out io.Writer) int {
	flags := flag.NewFlagSet("shape", flag.ContinueOnError)
	folder := flags.String("C", ".", "the root of the tree to measure, for example of another commit")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	tree, err := read(*folder)
	if err == nil {
		err = tree.print(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shape:", err)
		return 1
	}
	return 0
}
