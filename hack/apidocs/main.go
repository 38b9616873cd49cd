// Command apidocs writes the reference of the API's fields, in Markdown, from the custom resource definitions.
package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/config/crd"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apidocs:", err)
		os.Exit(1)
	}
}

const intro = `# API reference

Generated from the custom resource definitions by "make generate"; do not edit.
"kubectl explain webhookendpoint.spec" says the same from a cluster.
`

// run writes the whole page.
func run(w io.Writer) error {
	var page strings.Builder
	page.WriteString(intro)
	files := crd.Files()
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil {
		return fmt.Errorf("list definitions: %w", err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read definition: %w", err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &definition); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		writeKind(&page, &definition)
	}
	_, err = io.WriteString(w, page.String())
	return err
}

func writeKind(page *strings.Builder, definition *apiextensionsv1.CustomResourceDefinition) {
	names := definition.Spec.Names
	for _, version := range definition.Spec.Versions {
		schema := version.Schema.OpenAPIV3Schema
		fmt.Fprintf(page, "\n## %s\n\n%s\n\n", names.Kind, prose(schema.Description))
		fmt.Fprintf(page, "`apiVersion: %s/%s`, `kind: %s`, short name `%s`.\n", definition.Spec.Group, version.Name,
			names.Kind, strings.Join(names.ShortNames, "`, `"))
		writeRules(page, schema)
		for _, part := range []string{"spec", "status"} {
			property := schema.Properties[part]
			writeObject(page, names.Kind+"."+part, &property)
		}
	}
}

// prose puts a description on one line, safe for a table.
func prose(description string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(description), " "), "|", `\|`)
}
