// Package version says which release a program is.
package version

import (
	"runtime/debug"
	"sync"
)

// set is the release's version, by the linker: -X github.com/mailvane/mailvane/internal/version.set=v1.2.3.
var set string //nolint:gochecknoglobals // The linker sets nothing but variables of a package.

// String returns the release's version, such as v1.2.3; of a build that is no release the version of the module, or the commit that it
// was built from; "unknown" where the build says neither.
var String = sync.OnceValue(func() string { //nolint:gochecknoglobals // It is a function.
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return choose(set, "")
	}
	return choose(set, info.Main.Version)
})

// choose returns the version that says most.
func choose(release, module string) string {
	switch {
	case release != "":
		return release
	case module != "":
		return module
	default:
		return "unknown"
	}
}
