package config_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
)

// TestMembersThatAreAlwaysThere encodes a configuration in which nothing is set. While an upgrade rolls out, receivers of the release before read
// what the new manager writes, and refuse it as a whole for a member that they do not know. So no member is added here: one that is new is
// left out where it is not used, and docs/operations.md says what such receivers do where it is.
func TestMembersThatAreAlwaysThere(t *testing.T) {
	t.Parallel()
	document, err := json.Marshal(config.Config{Endpoints: []config.Endpoint{{Routes: []config.Route{{}}}}, Sinks: []config.Sink{{}}})
	if err != nil {
		t.Fatal(err)
	}
	var object any
	if err := json.Unmarshal(document, &object); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"endpoints", "endpoints.name", "endpoints.namespace", "endpoints.path", "endpoints.provider", "endpoints.provider.type", "endpoints.routes",
		"endpoints.routes.name", "endpoints.routes.sink", "endpoints.state", "endpoints.verification",
		"sinks", "sinks.delivery", "sinks.delivery.batchMaxBytes", "sinks.delivery.batchMaxEvents", "sinks.delivery.initialBackoffMilliseconds",
		"sinks.delivery.lingerMilliseconds", "sinks.delivery.maxAgeSeconds", "sinks.delivery.maxBackoffSeconds", "sinks.delivery.maxInFlight",
		"sinks.delivery.ordering", "sinks.delivery.timeoutSeconds", "sinks.kind", "sinks.kind.type", "sinks.name", "sinks.namespace",
		"version",
	}
	got := members(object, "")
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// members returns the paths of all members within a value.
func members(value any, path string) []string {
	var paths []string
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			paths = append(paths, members(element, path)...)
		}
	case map[string]any:
		for name, member := range v {
			paths = append(append(paths, path+name), members(member, path+name+".")...)
		}
	}
	return paths
}
