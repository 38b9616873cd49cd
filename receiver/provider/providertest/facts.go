package providertest

import (
	"os"
	"path/filepath"
	"testing"
)

// factsVariable names a folder with what is known of providers: vectors/<provider> holds requests that they signed, samples/<provider>
// bodies. It is not part of the repository.
const factsVariable = "MAILVANE_PROVIDER_FACTS"

// Facts returns the paths of the files that match a pattern below the folder of facts. It skips the test where there is no such folder,
// and fails it where there are no such files.
func Facts(t testing.TB, pattern string) []string {
	t.Helper()
	folder := os.Getenv(factsVariable)
	if folder == "" {
		t.Skipf("set %s to a folder with %s", factsVariable, pattern)
	}
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
	}
	return paths
}
