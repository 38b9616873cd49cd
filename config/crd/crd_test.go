package crd_test

import (
	"io/fs"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/config/crd"
)

// TestSchemasAreAccepted checks what an API server asks of a schema before it takes the definition: that it is structural, and
// that its defaults are valid by its own rules.
func TestSchemasAreAccepted(t *testing.T) {
	t.Parallel()

	files := crd.Files()
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil || len(names) != 2 {
		t.Fatalf("definitions: got %v, %v, want 2 files", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			text, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var definition apiextensionsv1.CustomResourceDefinition
			if err := yaml.UnmarshalStrict(text, &definition); err != nil {
				t.Fatal(err)
			}
			for _, version := range definition.Spec.Versions {
				checkSchema(t, version.Schema.OpenAPIV3Schema)
			}
		})
	}
}

func checkSchema(t *testing.T, external *apiextensionsv1.JSONSchemaProps) {
	t.Helper()

	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &internal, nil); err != nil {
		t.Fatal(err)
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	root := field.NewPath("openAPIV3Schema")
	errs := structuralschema.ValidateStructural(root, structural)
	inDefaults, err := defaulting.ValidateDefaults(t.Context(), root, structural, true, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range append(errs, inDefaults...) {
		t.Error(err)
	}
}
