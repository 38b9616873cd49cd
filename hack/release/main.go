// Command release makes what a release consists of, from the tree as it is, in one folder: the mailvane program for six platforms, the
// image of manager and receiver for two as an OCI layout, the chart, the manifests for kubectl, JSON Schemas of the kinds, the manifest
// of the kubectl plug-in, an SBOM for each program, checksums, and a provenance statement. It needs neither a container engine nor an
// account anywhere, and publishes nothing. The same commit gives the same bytes.
//
// With -docker-archive it makes the image of one platform alone, in the form that "docker load" reads.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

// versions are those of Semantic Versioning 2.0.0 with the v that Go and container registries are used to.
var versions = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("C", "../..", "the root of the tree")
	version := flags.String("version", "", "the version, such as v0.1.0; by default that of the chart")
	dist := flags.String("out", "dist", "the folder to write to, below the root; what is in it is removed")
	only := flags.String("platforms", "", "make programs and image for these alone, such as linux/amd64,darwin/arm64")
	archive := flags.String("docker-archive", "", "make only the image, of the first platform, as this file for docker load")
	name := flags.String("image", imageName, "the name of the image")
	if err := flags.Parse(arguments); err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	r, err := newRelease(ctx, *root, *version, *name, out)
	if err != nil {
		return err
	}
	if *only != "" {
		if r.platforms, err = parsePlatforms(*only); err != nil {
			return err
		}
	}
	if *archive != "" {
		return r.dockerArchive(ctx, *archive)
	}
	return r.all(ctx, *dist)
}

// checkVersion returns an error that says what a version looks like.
func checkVersion(version string) error {
	if !versions.MatchString(version) {
		return fmt.Errorf("version %q: write it like v1.2.3 or v1.2.3-rc.1", version)
	}
	return nil
}

// number returns the version without its v, as charts have it.
func number(version string) string { return strings.TrimPrefix(version, "v") }
