package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/manifest"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
	"github.com/mailvane/mailvane/config/samples"
	"github.com/mailvane/mailvane/receiver/config"
)

// quickstartSink is where the quickstart's HTTP sink delivers to.
const quickstartSink = "http://127.0.0.1:8090/events"

// folder is a folder of manifests and the configuration that it makes.
type folder struct {
	set    *manifest.Set
	config config.Config
}

// readFolder reads manifests and everything that is wrong with them. files is the folder for File sinks; "" = there is none.
func readFolder(ctx context.Context, path, files string) (folder, []manifest.Problem, error) {
	loader, err := manifest.NewLoader()
	if err != nil {
		return folder{}, nil, err
	}
	judges, err := checks.New(files)
	if err != nil {
		return folder{}, nil, err
	}
	set, problems := loader.Load(ctx, path)
	rendered, more := set.Render(judges)
	problems = append(problems, more...)
	manifest.SortProblems(problems)
	return folder{set: set, config: rendered}, problems, nil
}

// reportProblems writes every problem of a folder, and fails when there is any but warnings.
func reportProblems(ctx context.Context, w io.Writer, path, files string) error {
	_, problems, err := readFolder(ctx, path, files)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	if len(manifest.Faults(problems)) > 0 {
		return errReported
	}
	return nil
}

// loadConfig returns the configuration of a folder without problems.
func loadConfig(ctx context.Context, path, files string) (*config.Config, error) {
	f, err := loadFolder(ctx, path, files)
	if err != nil {
		return nil, err
	}
	return &f.config, nil
}

// loadFolder reads a folder without problems.
func loadFolder(ctx context.Context, path, files string) (*folder, error) {
	f, problems, err := readFolder(ctx, path, files)
	if err != nil {
		return nil, err
	}
	errs := make([]error, 0, len(problems))
	for _, p := range manifest.Faults(problems) {
		errs = append(errs, errors.New(p.String()))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &f, nil
}

// loadTarget finds an endpoint, by NAME or NAMESPACE/NAME, among those of a folder that have no problems but in their routes: those
// have no part in what a provider sends.
func loadTarget(ctx context.Context, path, name string) (*sender.Target, error) {
	f, problems, err := readFolder(ctx, path, defaultFiles) // nothing is written
	if err != nil {
		return nil, err
	}
	return f.find(name, problems)
}

// find finds an endpoint. The problems are those of the folder: they may be why there is none.
func (f *folder) find(name string, problems []manifest.Problem) (*sender.Target, error) {
	var found *config.Endpoint
	var known []string
	for i := range f.config.Endpoints {
		e := &f.config.Endpoints[i]
		if e.State == config.Unavailable {
			continue
		}
		full := e.Namespace + "/" + e.Name
		known = append(known, full)
		if name != full && name != e.Name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("there are several endpoints %q: say NAMESPACE/NAME", name)
		}
		found = e
	}
	if found == nil {
		for _, p := range manifest.Faults(problems) {
			return nil, fmt.Errorf("no endpoint %q without problems; the first is %s", name, p)
		}
		return nil, fmt.Errorf("no endpoint %q; there are: %s", name, strings.Join(known, ", "))
	}
	return f.target(found)
}

// target returns what is sent to for an endpoint of the folder.
func (f *folder) target(e *config.Endpoint) (*sender.Target, error) {
	i := slices.IndexFunc(f.set.Endpoints, func(o v1alpha1.WebhookEndpoint) bool { return o.Namespace == e.Namespace && o.Name == e.Name })
	return newTarget(e, &f.set.Endpoints[i], f.set.Secret)
}

// writeQuickstart writes the quickstart's manifests to a folder, with another address for its HTTP sink.
func writeQuickstart(dir, sinkURL string) error {
	files := samples.Files()
	names, err := fs.Glob(files, path.Join(samples.QuickstartFolder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list the quickstart: %w", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the quickstart: %w", err)
		}
		changed := strings.ReplaceAll(string(text), quickstartSink, sinkURL)
		if err := os.WriteFile(filepath.Join(dir, path.Base(name)), []byte(changed), 0o600); err != nil {
			return fmt.Errorf("write the quickstart: %w", err)
		}
	}
	return nil
}
