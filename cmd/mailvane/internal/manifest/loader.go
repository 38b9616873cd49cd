// Package manifest reads Mailvane's objects from a folder of YAML files, as a cluster would take them: every object is
// validated and defaulted by the schemas of the custom resource definitions, and all that is wrong is reported at once.
package manifest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/admission"
)

// Loader reads manifests. It is safe for concurrent use.
type Loader struct {
	schemas *admission.Admission
}

// NewLoader returns a Loader. An error means that this build is broken.
func NewLoader() (*Loader, error) {
	schemas, err := admission.New()
	if err != nil {
		return nil, fmt.Errorf("compile the schemas: %w", err)
	}
	return &Loader{schemas: schemas}, nil
}

// Load reads a file, or every *.yaml and *.yml of a folder, in the order of their names and without its subfolders.
// An object with a problem is not part of the set. Objects of other kinds, which a folder for kubectl apply may well
// hold, are passed over.
func (l *Loader) Load(ctx context.Context, path string) (*Set, []Problem) {
	reading := &reading{schemas: l.schemas, set: newSet()}
	files, err := list(path)
	if err != nil {
		return reading.set, []Problem{{File: path, Message: err.Error()}}
	}
	for _, file := range files {
		reading.file(ctx, file)
	}
	if len(reading.set.places) == 0 && len(reading.problems) == 0 {
		reading.problems = []Problem{{
			File:    path,
			Message: "there is no WebhookEndpoint and no EventSink in the *.yaml and *.yml files here (subfolders are not read)",
		}}
	}
	SortProblems(reading.problems)
	return reading.set, reading.problems
}

// list returns the files to read.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	var files []string
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		base := strings.TrimSuffix(entry.Name(), extension)
		// A kustomization needs not say its kind.
		if !entry.IsDir() && slices.Contains([]string{".yaml", ".yml"}, extension) && base != "kustomization" {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	return files, nil
}
