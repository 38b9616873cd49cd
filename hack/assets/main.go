// Command assets prints the folder of the control plane's programs that the tests run, for KUBEBUILDER_ASSETS. It compiles them
// if they are not there, which takes minutes. Where they cannot be compiled it says so and prints nothing; the tests skip then.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/mailvane/mailvane/test/controlplane/assets"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := assets.Dir(ctx, os.Stderr)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Fprintln(os.Stderr, "Tests that need an API server will be skipped:", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, dir)
	return nil
}
