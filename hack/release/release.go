package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	// module is the module that is released.
	module = "github.com/mailvane/mailvane"
	// imageName is where the image of a release is published.
	imageName = "ghcr.io/mailvane/mailvane"
)

// release is one release in the making.
type release struct {
	root    string
	version string
	image   string
	// commit is what the tree is of; dirty says that the tree has changed since.
	commit string
	dirty  bool
	// time is when the commit was made: the time of everything in the release, so that it does not depend on when it was made.
	time      time.Time
	platforms []platform
	log       io.Writer
}

func newRelease(ctx context.Context, root, version, image string, log io.Writer) (*release, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the root: %w", err)
	}
	r := &release{root: root, version: version, image: image, platforms: allPlatforms(), log: log}
	if r.version == "" {
		if r.version, err = chartVersion(root); err != nil {
			return nil, err
		}
	}
	if err := checkVersion(r.version); err != nil {
		return nil, err
	}
	return r, r.readCommit(ctx)
}

// chartVersion returns the version of the chart, as that of a release.
func chartVersion(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "charts/mailvane/Chart.yaml"))
	if err != nil {
		return "", fmt.Errorf("read the chart's version: %w", err)
	}
	var chart struct {
		Version string `json:"version"`
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		return "", fmt.Errorf("read the chart's version: %w", err)
	}
	return "v" + chart.Version, nil
}

func (r *release) readCommit(ctx context.Context) error {
	commit, err := r.output(ctx, "git", "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	stamp, err := r.output(ctx, "git", "show", "-s", "--format=%ct", "HEAD")
	if err != nil {
		return err
	}
	changes, err := r.output(ctx, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("the time of commit %s: %w", commit, err)
	}
	r.commit, r.dirty, r.time = commit, changes != "", time.Unix(seconds, 0).UTC()
	return nil
}

// all makes everything in a folder, and lists it.
func (r *release) all(ctx context.Context, folder string) error {
	if !filepath.IsLocal(folder) {
		return fmt.Errorf("-out %q: name a folder below the root of the tree; what is in it is removed", folder)
	}
	dist := filepath.Join(r.root, folder)
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("empty the folder: %w", err)
	}
	if r.dirty {
		fmt.Fprintf(r.log, "The tree has changes that are not committed: this is not the release of %s.\n", r.commit)
	}
	for _, step := range []struct {
		says string
		do   func(context.Context, string) error
	}{
		{"Building programs for " + joined(r.platforms) + ". The first time takes minutes for each.", r.programs},
		{"Making the image.", r.layout},
		{"Packaging the chart.", r.chart},
		{"Writing manifests and schemas.", r.manifests},
		{"Writing the plug-in's manifest.", r.krew},
		{"Listing what the programs are made of.", r.boms},
		{"Writing provenance and checksums.", r.sums},
	} {
		fmt.Fprintln(r.log, step.says)
		if err := step.do(ctx, dist); err != nil {
			return err
		}
	}
	return r.list(dist)
}

// output returns what a program prints, without the space around it.
func (r *release) output(ctx context.Context, name string, arguments ...string) (string, error) {
	var out bytes.Buffer
	err := r.start(ctx, &out, nil, name, arguments...)
	return strings.TrimSpace(out.String()), err
}

// start runs a program in the root, with more in its environment.
func (r *release) start(ctx context.Context, out io.Writer, environment []string, name string, arguments ...string) error {
	command := exec.CommandContext(ctx, name, arguments...) //nolint:gosec // The names are our own.
	command.Dir = r.root
	command.Env = append(os.Environ(), environment...)
	var said bytes.Buffer
	command.Stdout, command.Stderr = out, &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{name}, arguments...), " "), err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
