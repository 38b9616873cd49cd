// Package crd holds the CustomResourceDefinitions of Mailvane, as they are applied to a cluster.
package crd

import "embed"

// Files returns the CustomResourceDefinitions, one YAML file each, in the folder "bases".
func Files() embed.FS {
	return files
}

//go:embed bases/*.yaml
var files embed.FS
