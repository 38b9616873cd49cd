package config

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Parse reads a document strictly: unknown members, duplicate names and another version are errors.
func Parse(document []byte) (*Config, error) {
	var c Config
	if err := json.Unmarshal(document, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("parse configuration: %w", err)
	}
	if c.Version != Version {
		return nil, fmt.Errorf("configuration has version %q; this receiver reads %q", c.Version, Version)
	}
	return &c, nil
}
