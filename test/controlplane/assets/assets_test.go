package assets

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()

	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDirTakesTheVariable(t *testing.T) {
	t.Setenv(Variable, "/opt/kubebuilder/bin")

	var progress bytes.Buffer
	dir, err := Dir(t.Context(), &progress)
	if err != nil || dir != "/opt/kubebuilder/bin" || progress.Len() != 0 {
		t.Errorf("got %q, %v and %q, want the folder that the variable names, and no word", dir, err, &progress)
	}
}

func TestEnsureCompilesOnce(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "sum")
	var compiled atomic.Int32
	b := builder{progress: io.Discard, compile: func(_ context.Context, bin string) error {
		compiled.Add(1)
		return os.WriteFile(filepath.Join(bin, "etcd"), nil, 0o600)
	}}
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			bin, err := b.ensure(t.Context(), dir)
			if err == nil {
				_, err = os.Stat(filepath.Join(bin, "etcd"))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if got := compiled.Load(); got != 1 {
		t.Errorf("compiled %d times, want once", got)
	}
}

func TestEnsureLeavesNothingUnfinished(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "sum")
	broken := errors.New("out of memory")
	b := builder{progress: io.Discard, compile: func(_ context.Context, bin string) error {
		return errors.Join(os.WriteFile(filepath.Join(bin, "etcd"), nil, 0o600), broken)
	}}
	if _, err := b.ensure(t.Context(), dir); !errors.Is(err, broken) {
		t.Errorf("got %v, want what the compiler says", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "lock" {
		t.Errorf("got %v, %v, want only the lock's file", entries, err)
	}

	b.compile = func(context.Context, string) error { return nil }
	if bin, err := b.ensure(t.Context(), dir); err != nil || !exists(bin) {
		t.Errorf("the next try: got %q, %v, want a folder", bin, err)
	}
}

func TestLockIsWaitedForUntilTheContextEnds(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var progress bytes.Buffer
	if _, err := lock(ctx, path, &progress); !errors.Is(err, context.Canceled) || progress.Len() == 0 {
		t.Errorf("while it is taken: got %v and %q, want the context's error, and to be told what is waited for", err, &progress)
	}
	unlock()
	again, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatalf("when it is free: %v", err)
	}
	again()
}

func TestFind(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	source := filepath.Join(root, "hack", "controlplane")
	write(t, source, "go.mod", "")
	below := filepath.Join(root, "api", "v1alpha1")
	if err := os.MkdirAll(below, 0o750); err != nil {
		t.Fatal(err)
	}
	if got, err := find(below); err != nil || got != source {
		t.Errorf("below: got %q, %v, want %q", got, err, source)
	}
	if got, err := find(t.TempDir()); err == nil {
		t.Errorf("elsewhere: got %q, want an error", got)
	}
}

func TestFingerprintChangesWithEveryFile(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	files := []string{"go.mod", "go.sum", "main.go"}
	for _, name := range files {
		write(t, dir, name, "a")
	}
	seen := map[string]string{}
	for _, name := range append(files, "none") {
		sum, err := fingerprint(dir)
		if err != nil {
			t.Fatal(err)
		}
		if before, found := seen[sum]; found {
			t.Errorf("the fingerprint before changing %s is the one before changing %s", name, before)
		}
		seen[sum] = name
		write(t, dir, name, "b")
	}
}

func TestLinkFlags(t *testing.T) {
	t.Parallel()

	const want = "-s -w" +
		" -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1" +
		" -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/component-base/version.gitTreeState=clean" +
		" -X k8s.io/component-base/version.buildDate=1970-01-01T00:00:00Z" +
		" -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3 -X k8s.io/client-go/pkg/version.gitMajor=1" +
		" -X k8s.io/client-go/pkg/version.gitMinor=36 -X k8s.io/client-go/pkg/version.gitTreeState=clean" +
		" -X k8s.io/client-go/pkg/version.buildDate=1970-01-01T00:00:00Z"
	if got := linkFlags("v1.36.3"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
