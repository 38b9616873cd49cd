package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
)

// FileName is the name of the document in a receiver's configuration folder.
const FileName = "config.json"

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

// Load parses the document in a configuration folder, compressed or not.
func Load(dir string) (*Config, error) {
	document, err := os.ReadFile(filepath.Join(dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return loadCompressed(dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(document)
}

func loadCompressed(dir string, plainErr error) (*Config, error) {
	content, err := os.ReadFile(filepath.Join(dir, CompressedFileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read configuration: %w", plainErr)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	document, err := decompress(content)
	if err != nil {
		return nil, err
	}
	return Parse(document)
}
