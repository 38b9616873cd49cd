// Command catalogue writes what follows from the list in internal/catalogue: the unions of the API with their rules, the lists of
// receivers, of checks and of samples, the types of the settings, and the tables for people. It runs in the root of the repository.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "catalogue:", err)
		os.Exit(1)
	}
}

// run writes every file that follows from the list, below root.
func run(root string) error {
	o := newOutput(root)
	if err := o.all(); err != nil {
		return err
	}
	return o.write()
}

// all makes every file.
func (o *output) all() error {
	for _, part := range []func(*output) error{unions, settings, lists, tables} {
		if err := part(o); err != nil {
			return err
		}
	}
	return nil
}
