// Command mailvane runs a receiver on a folder of manifests, checks manifests, sends signed test requests and looks after
// dead letters.
package main

import (
	"os"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/command"
)

func main() { os.Exit(command.Run(os.Args, os.Stdout, os.Stderr)) }
