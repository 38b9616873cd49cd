// Package settings reads the settings of a File sink, apart from what writes the file.
package settings

import (
	"errors"
	"path/filepath"

	"github.com/mailvane/mailvane/receiver/settings"
)

// Parsed is what a File sink writes to.
type Parsed struct {
	// Name is that of the file in the folder of all File sinks.
	Name string
}

// Parse decodes a sink's settings, and refuses what cannot work.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	switch {
	case s.Path == "":
		return Parsed{}, errors.New("path is not set")
	case !filepath.IsLocal(s.Path) || filepath.Clean(s.Path) == ".":
		return Parsed{}, errors.New("path must be a relative name without \"..\": the file is below the folder of the receiver's --file-sinks")
	case !env.FileSinks:
		return Parsed{}, errors.New("there is no folder for File sinks here: a receiver has one if it is started with --file-sinks DIR, in a cluster none has")
	}
	return Parsed{Name: filepath.Clean(s.Path)}, nil
}
