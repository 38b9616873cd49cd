package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// definition is what is read of a custom resource definition.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPI map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// schemasOf returns a JSON Schema for each version of each kind, under the names by which kubeconform finds them with
// -schema-location 'FOLDER/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'.
func schemasOf(definitions []byte) ([]file, error) {
	var out []file
	for document := range bytes.SplitSeq(definitions, []byte("\n---\n")) {
		var d definition
		if err := yaml.Unmarshal(document, &d); err != nil {
			return nil, fmt.Errorf("read a definition: %w", err)
		}
		for _, version := range d.Spec.Versions {
			schema := version.Schema.OpenAPI
			schema["$schema"] = "http://json-schema.org/draft-07/schema#"
			strict(schema)
			name := fmt.Sprintf("%s/%s_%s.json", d.Spec.Group, strings.ToLower(d.Spec.Names.Kind), version.Name)
			text, err := json.MarshalIndent(schema, "", "  ")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out = append(out, file{name, 0o644, append(text, '\n')})
		}
	}
	return out, nil
}

// strict has a schema of Kubernetes say in JSON Schema what the API server does: fields that it does not know are refused, and what may be
// a number or a string may be one. The rules in CEL are left to the API server and to "mailvane check".
func strict(schema map[string]any) {
	if schema["x-kubernetes-int-or-string"] == true {
		delete(schema, "type")
		schema["anyOf"] = []any{map[string]any{"type": "integer"}, map[string]any{"type": "string"}}
	}
	properties, _ := schema["properties"].(map[string]any)
	_, more := schema["additionalProperties"]
	if properties != nil && !more && schema["x-kubernetes-preserve-unknown-fields"] != true {
		schema["additionalProperties"] = false
	}
	for _, property := range properties {
		if nested, ok := property.(map[string]any); ok {
			strict(nested)
		}
	}
	for _, name := range []string{"items", "additionalProperties"} {
		if nested, ok := schema[name].(map[string]any); ok {
			strict(nested)
		}
	}
	// The API server fills metadata in, and its schema is not in the definition.
	if metadata, ok := properties["metadata"].(map[string]any); ok && len(metadata) <= 2 {
		delete(metadata, "additionalProperties")
	}
}
