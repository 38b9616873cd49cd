// Package samples holds the manifests of the quickstart, which mailvane demo runs.
package samples

import "embed"

// QuickstartFolder is the folder of the quickstart's manifests in [Files].
const QuickstartFolder = "quickstart"

// Files returns the manifests.
func Files() embed.FS {
	return files
}

//go:embed quickstart/*.yaml
var files embed.FS
