package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/controllers/limits"
)

// loadLimits reads what endpoints may ask for from a file in YAML. What the file does not say, or all of it without a file, has its default.
func loadLimits(file string) (limits.Limits, error) {
	allowed := limits.Default()
	if file == "" {
		return allowed, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return limits.Limits{}, fmt.Errorf("read limits: %w", err)
	}
	if err := yaml.UnmarshalStrict(text, &allowed); err != nil {
		return limits.Limits{}, fmt.Errorf("limits %s: %w", file, err)
	}
	if allowed.MaxReplicas < 1 {
		return limits.Limits{}, fmt.Errorf("limits %s: maxReplicas must be at least 1", file)
	}
	return allowed, nil
}
