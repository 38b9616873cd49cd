package manifest

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/controllers/render"
)

// unknown says that name is not one of the known ones, and which one was probably meant.
func unknown(name, what string, known []string) string {
	if near := render.Nearest(name, known, len(name)); near != "" {
		return fmt.Sprintf("there is no %s %q; did you mean %q?", what, name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("there is no %s %q here", what, name)
	}
	return fmt.Sprintf("there is no %s %q; there are %s", what, name, strings.Join(known, ", "))
}
