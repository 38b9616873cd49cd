package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// plugin is a manifest of a kubectl plug-in: https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/
type plugin struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   pluginName `json:"metadata"`
	Spec       pluginSpec `json:"spec"`
}

type pluginName struct {
	Name string `json:"name"`
}

type pluginSpec struct {
	Version          string           `json:"version"`
	Homepage         string           `json:"homepage"`
	ShortDescription string           `json:"shortDescription"`
	Description      string           `json:"description"`
	Platforms        []pluginPlatform `json:"platforms"`
}

type pluginPlatform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
}

// krew writes the manifest by which "kubectl krew install --manifest" installs the mailvane program as "kubectl mailvane".
func (r *release) krew(_ context.Context, dist string) error {
	spec := pluginSpec{
		Version:          r.version,
		Homepage:         "https://" + module,
		ShortDescription: "Find and watch events of email providers",
		Description: "Asks the receivers of Mailvane in a cluster what became of mails: endpoints, sinks, events, dead letters.\n" +
			"It needs rights on the Secrets with the receivers' tokens; see docs/security.md.\n",
	}
	for _, p := range r.platforms {
		sum, err := sumOf(filepath.Join(dist, r.archiveName(p)))
		if err != nil {
			return err
		}
		entry := pluginPlatform{
			URI:    fmt.Sprintf("https://%s/releases/download/%s/%s", module, r.version, r.archiveName(p)),
			SHA256: sum, Bin: p.program("mailvane"),
		}
		entry.Selector.MatchLabels = map[string]string{"os": p.system, "arch": p.architecture}
		spec.Platforms = append(spec.Platforms, entry)
	}
	text, err := yaml.Marshal(plugin{"krew.googlecontainertools.github.com/v1alpha2", "Plugin", pluginName{"mailvane"}, spec})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return writeFile(filepath.Join(dist, "krew.yaml"), text)
}

// sumOf returns the SHA-256 of a file, in hex.
func sumOf(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
