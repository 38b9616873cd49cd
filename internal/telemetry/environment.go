package telemetry

import (
	"maps"
	"strings"
)

// Environment returns what receivers are told of how to send spans: the OTEL_* variables of a manager's own environment, given as
// "NAME=value", but for those that are about one process, that may hold a credential (headers), or that name files, which others do not have.
func Environment(own []string) map[string]string {
	out := map[string]string{}
	for _, variable := range own {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			out[name] = value
		}
	}
	maps.DeleteFunc(out, func(name, _ string) bool {
		for _, end := range []string{"_HEADERS", "_CERTIFICATE", "_CLIENT_KEY", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"} {
			if strings.HasSuffix(name, end) {
				return true
			}
		}
		return false
	})
	return out
}
