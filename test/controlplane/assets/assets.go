// Package assets finds the programs of a Kubernetes control plane for the tests: kube-apiserver, etcd and kubectl. Where nobody
// has put them, it compiles them, once, from the module in hack/controlplane.
package assets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Variable names the environment variable that says in which folder the programs are. It is the one that envtest reads.
const Variable = "KUBEBUILDER_ASSETS"

// program is what the module compiles to; it is all of names.
const program = "controlplane"

// names returns the names that the program is called by.
func names() []string {
	return []string{"etcd", "kube-apiserver", "kubectl"}
}

// Dir returns the folder of the programs: the one that [Variable] names, else the one in the user's cache, which it fills the
// first time. That takes minutes, and progress is told so. Processes that ask at the same time wait for the first of them.
// The error is [errors.ErrUnsupported] on a system other than Linux and macOS.
func Dir(ctx context.Context, progress io.Writer) (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		return dir, nil
	}
	working, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module of the control plane: %w", err)
	}
	source, err := find(working)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache: %w", err)
	}
	sum, err := fingerprint(source)
	if err != nil {
		return "", err
	}
	b := builder{progress: progress, compile: func(ctx context.Context, dir string) error {
		return compile(ctx, source, dir, progress)
	}}
	return b.ensure(ctx, filepath.Join(cache, "mailvane", "controlplane", sum))
}

// find returns the folder of the control plane's module, looked for from dir upwards.
func find(dir string) (string, error) {
	for {
		source := filepath.Join(dir, "hack", "controlplane")
		if _, err := os.Stat(filepath.Join(source, "go.mod")); err == nil {
			return source, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no hack/controlplane in the working directory or above it: run this inside the repository")
		}
		dir = parent
	}
}

// fingerprint identifies what the module compiles to: its files.
func fingerprint(source string) (string, error) {
	hash := sha256.New()
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", fmt.Errorf("read the module of the control plane: %w", err)
		}
		fmt.Fprintf(hash, "%s %d\n", name, len(text))
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// builder fills folders, one process at a time.
type builder struct {
	progress io.Writer
	// compile writes the programs to an empty folder.
	compile func(ctx context.Context, dir string) error
}

// ensure returns the folder "bin" in dir, and has it filled if it is not there. It appears all at once or not at all.
func (b *builder) ensure(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "bin")
	if exists(bin) {
		return bin, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make the folder of the control plane: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, "lock"), b.progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(bin) {
		return bin, nil
	}
	return bin, b.fill(ctx, dir, bin)
}

func (b *builder) fill(ctx context.Context, dir, bin string) error {
	unfinished, err := os.MkdirTemp(dir, "unfinished-")
	if err != nil {
		return fmt.Errorf("make the folder of the control plane: %w", err)
	}
	if err := b.compile(ctx, unfinished); err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Rename(unfinished, bin); err != nil {
		return fmt.Errorf("put the control plane in its place: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// compile compiles the module in source to dir.
func compile(ctx context.Context, source, dir string, progress io.Writer) error {
	version, err := goCommand(ctx, source, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "Compiling kube-apiserver, etcd and kubectl %s for the tests, to %s. This takes about 6 minutes, once.\n",
		version, filepath.Dir(dir))
	start := time.Now()
	if _, err := goCommand(ctx, source, "build", "-trimpath", "-buildvcs=false", "-ldflags", linkFlags(version),
		"-o", filepath.Join(dir, program), "."); err != nil {
		return err
	}
	for _, name := range names() {
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("name the programs of the control plane: %w", err)
		}
	}
	fmt.Fprintf(progress, "Compiled the control plane in %s.\n", time.Since(start).Round(time.Second))
	return nil
}

// linkFlags leaves debug information out, and gives the programs the version that they report.
func linkFlags(version string) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := []string{"-s", "-w"}
	for _, path := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X "+path+".gitVersion="+version, "-X "+path+".gitMajor="+major, "-X "+path+".gitMinor="+minor,
			"-X "+path+".gitTreeState=clean", "-X "+path+".buildDate=1970-01-01T00:00:00Z")
	}
	return strings.Join(flags, " ")
}

// stopWithin bounds how long a cancelled compiler may take to end.
const stopWithin = 5 * time.Second

// goCommand runs the go command in dir and returns its output. Settings that are meant for the caller's own module do not count.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // Arguments are this package's own.
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.WaitDelay = stopWithin
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", fmt.Errorf("go %s in %s was cut short: %w", args[0], dir, ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
