// Package links_test says what the programs must not link.
package links_test

import (
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/catalogue"
)

const module = "github.com/mailvane/mailvane/"

// dependencies returns the packages that a program links.
func dependencies(t *testing.T, program string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", module+program)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	return strings.Fields(string(out))
}

// TestTheImageHasItsSources holds what the Dockerfile copies, by .dockerignore, against what its programs are made of.
func TestTheImageHasItsSources(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	copied := strings.Fields(string(text))
	for _, program := range []string{"cmd/manager", "cmd/receiver"} {
		for _, dependency := range dependencies(t, program) {
			folder, _, _ := strings.Cut(strings.TrimPrefix(dependency, module), "/")
			if within(dependency, strings.TrimSuffix(module, "/")) && !slices.Contains(copied, "!"+folder) {
				t.Errorf("%s links %s, which the image is not built with: add !%s to .dockerignore", program, dependency, folder)
			}
		}
	}
}

// TestProgramsAreBuiltAlike has the image, a release and what is measured leave out what grpc would have the linker keep.
func TestProgramsAreBuiltAlike(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"Dockerfile", "Makefile", "hack/e2e.sh", "hack/release/programs.go", "test/process/process.go"} {
		text, err := os.ReadFile("../../" + file)
		if err != nil || !strings.Contains(string(text), "grpcnotrace") {
			t.Errorf("%s builds without the tag grpcnotrace, %v", file, err)
		}
	}
}

// within reports whether a package is one of a tree.
func within(dependency, tree string) bool {
	return dependency == tree || strings.HasPrefix(dependency, tree+"/")
}

// TestPrograms counts what the programs link, and looks for what they must not.
func TestPrograms(t *testing.T) {
	t.Parallel()
	var decoders, clients []string
	for _, p := range catalogue.Providers() {
		decoders = append(decoders, module+"receiver/provider/"+p.Folder())
	}
	for _, s := range catalogue.Sinks() {
		clients = append(clients, module+"receiver/sink/"+s.Folder())
	}
	for _, program := range []struct {
		name, reason string
		packages     []string // exactly these are refused
		trees        []string // these, and what is below
	}{
		{
			"cmd/manager", "it can read Secrets, and links neither what decodes foreign requests nor what connects to destinations",
			slices.Concat(decoders, clients),
			[]string{
				module + "internal/simulate", module + "receiver/journal", module + "receiver/intake", module + "receiver/deliver",
				"github.com/cockroachdb/pebble", "github.com/nats-io", "github.com/twmb/franz-go", "github.com/rabbitmq/amqp091-go", "github.com/jackc/pgx",
				"github.com/redis/go-redis", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go", "cloud.google.com/go/pubsub",
			},
		},
		{
			"cmd/receiver", "it faces the internet, and carries no client of the Kubernetes API and nothing that forges a signature", nil,
			[]string{"k8s.io", "sigs.k8s.io", module + "api", module + "controllers", module + "internal/simulate"},
		},
	} {
		linked := dependencies(t, program.name)
		t.Logf("%s links %d packages", program.name, len(linked))
		for _, dependency := range linked {
			if slices.Contains(program.packages, dependency) || slices.ContainsFunc(program.trees, func(tree string) bool { return within(dependency, tree) }) {
				t.Errorf("%s links %s: %s", program.name, dependency, program.reason)
			}
		}
	}
}

// TestRefusedPackagesExist makes sure that what a program must not link is looked for under the name that it has.
func TestRefusedPackagesExist(t *testing.T) {
	t.Parallel()
	linked := dependencies(t, "cmd/mailvane")
	for _, p := range catalogue.Providers() {
		for _, folder := range []string{"receiver/provider", "internal/simulate"} {
			if !slices.Contains(linked, module+path.Join(folder, p.Folder())) {
				t.Errorf("mailvane, which runs everything, does not link %s/%s", folder, p.Folder())
			}
		}
	}
	for _, s := range catalogue.Sinks() {
		if !slices.Contains(linked, module+"receiver/sink/"+s.Folder()) {
			t.Errorf("mailvane, which runs everything, does not link receiver/sink/%s", s.Folder())
		}
	}
	for _, tree := range []string{"k8s.io", "sigs.k8s.io", "github.com/cockroachdb/pebble", "github.com/nats-io", "github.com/jackc/pgx", "github.com/redis/go-redis", "github.com/twmb/franz-go", "github.com/rabbitmq/amqp091-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go", "cloud.google.com/go/pubsub", module + "receiver/journal"} {
		if !slices.ContainsFunc(linked, func(dependency string) bool { return within(dependency, tree) }) {
			t.Errorf("mailvane, which runs everything, links nothing of %s", tree)
		}
	}
}
