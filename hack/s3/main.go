// Command s3 is the S3 server of the tests: the Versity S3 Gateway over a folder, without what its own command links beside that.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "s3:", err)
		os.Exit(1)
	}
}

// run serves until it is killed. Its arguments are where to listen, the access key, its secret, a folder for objects and one for what is known of them.
func run() error {
	const arguments = 5
	if len(os.Args) != arguments+1 {
		return errors.New("usage: s3 ADDRESS KEY SECRET OBJECTS METADATA")
	}
	address, key, secret, objects, metadata := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	// Not every folder of tests can have extended attributes.
	store, err := meta.NewSideCar(metadata)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	backend, err := posix.New(objects, store, posix.PosixOpts{SideCarDir: metadata})
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	const most = 1000
	return embedgw.RunVersityGW(context.Background(), backend, &embedgw.Config{
		RootUserAccess: key, RootUserSecret: secret, Region: "us-east-1", Ports: []string{address}, MaxConnections: most, MaxRequests: most,
		MultipartMaxParts: most, Quiet: true,
	})
}
