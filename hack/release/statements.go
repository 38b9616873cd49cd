package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// boms writes a CycloneDX SBOM for each program of Linux, of what the program itself says that it was linked from.
func (r *release) boms(ctx context.Context, dist string) error {
	for _, p := range r.imagePlatforms()[:min(1, len(r.imagePlatforms()))] {
		for _, name := range []string{"mailvane", "manager", "receiver"} {
			out := filepath.Join(dist, "sbom", name+".cdx.json")
			if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil { //nolint:gosec // It is published.
				return fmt.Errorf("make a folder: %w", err)
			}
			err := r.start(ctx, nil, nil, "go", "tool", "-modfile="+filepath.Join(r.root, "hack/release/go.mod"), "cyclonedx-gomod", "bin", "-json",
				"-noserial", "-version", r.version, "-output", out, filepath.Join(r.programsFolder(p), name))
			if err != nil {
				return err
			}
			if err := r.pinTime(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// pinTime sets the time of an SBOM to that of the release.
func (r *release) pinTime(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read an SBOM: %w", err)
	}
	var bom map[string]any
	if err := json.Unmarshal(content, &bom); err != nil {
		return fmt.Errorf("read an SBOM: %w", err)
	}
	if metadata, ok := bom["metadata"].(map[string]any); ok {
		metadata["timestamp"] = r.time.Format("2006-01-02T15:04:05Z")
	}
	return writeJSON(path, bom)
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return writeFile(path, append(text, '\n'))
}

// statement is an in-toto statement (https://in-toto.io/Statement/v1) with the SLSA provenance of what it names
// (https://slsa.dev/spec/v1.0/provenance). It is not signed: whoever publishes the release signs it.
type statement struct {
	Type          string     `json:"_type"`
	Subject       []subject  `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     provenance `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type provenance struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]any    `json:"externalParameters"`
		InternalParameters   map[string]string `json:"internalParameters"`
		ResolvedDependencies []subject         `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

// sums writes the provenance of all files, and then the checksums of them and of it, in the form that "sha256sum -c" reads.
func (r *release) sums(_ context.Context, dist string) error {
	subjects, err := subjectsIn(dist)
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dist, "provenance.intoto.json"), r.provenanceOf(subjects)); err != nil {
		return err
	}
	if subjects, err = subjectsIn(dist); err != nil {
		return err
	}
	var out bytes.Buffer
	for _, s := range subjects {
		fmt.Fprintf(&out, "%s  %s\n", s.Digest["sha256"], s.Name)
	}
	return writeFile(filepath.Join(dist, "SHA256SUMS"), out.Bytes())
}

func (r *release) provenanceOf(subjects []subject) statement {
	s := statement{Type: "https://in-toto.io/Statement/v1", Subject: subjects, PredicateType: "https://slsa.dev/provenance/v1"}
	d := &s.Predicate.BuildDefinition
	d.BuildType = "https://" + module + "/hack/release/v1"
	d.ExternalParameters = map[string]any{"version": r.version, "platforms": strings.Split(joined(r.platforms), ", "), "uncommittedChanges": r.dirty}
	d.InternalParameters = map[string]string{"go": runtime.Version()}
	d.ResolvedDependencies = []subject{{URI: "git+https://" + module, Digest: map[string]string{"gitCommit": r.commit}}}
	s.Predicate.RunDetails.Builder.ID = "https://" + module + "/hack/release"
	return s
}

// subjectsIn returns all files below a folder, by their paths with slashes, sorted.
func subjectsIn(dist string) ([]subject, error) {
	var out []subject
	err := filepath.WalkDir(dist, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dist, path)
		out = append(out, subject{Name: filepath.ToSlash(name), Digest: map[string]string{"sha256": sum}})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the release: %w", err)
	}
	return out, nil
}

// list prints every file with its size and how its checksum begins.
func (r *release) list(dist string) error {
	subjects, err := subjectsIn(dist)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		info, err := os.Stat(filepath.Join(dist, filepath.FromSlash(s.Name)))
		if err != nil {
			return fmt.Errorf("list the release: %w", err)
		}
		fmt.Fprintf(r.log, "%12d  %.16s  %s\n", info.Size(), s.Digest["sha256"], s.Name)
	}
	return nil
}
