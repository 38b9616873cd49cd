// Package admission says of an object what a Kubernetes API server with Mailvane's CustomResourceDefinitions would say:
// it prunes, defaults and validates with the API server's own code, without an API server.
package admission

import (
	"context"
	"fmt"
	"io/fs"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/config/crd"
)

// Admission holds the schemas of all kinds. It is safe for concurrent use.
type Admission struct {
	kinds map[schema.GroupVersionKind]*kind
}

type kind struct {
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// New compiles the schemas and CEL rules of all kinds. An error means that this build's definitions are broken.
func New() (*Admission, error) {
	files := crd.Files()
	names, err := fs.Glob(files, "bases/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list custom resource definitions: %w", err)
	}
	a := &Admission{kinds: map[schema.GroupVersionKind]*kind{}}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read custom resource definition: %w", err)
		}
		if err := a.add(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return a, nil
}

func (a *Admission) add(text []byte) error {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		return fmt.Errorf("decode custom resource definition: %w", err)
	}
	for _, version := range definition.Spec.Versions {
		k, err := newKind(version.Schema.OpenAPIV3Schema)
		if err != nil {
			return fmt.Errorf("version %s: %w", version.Name, err)
		}
		a.kinds[schema.GroupVersionKind{
			Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind,
		}] = k
	}
	return nil
}

func newKind(external *apiextensionsv1.JSONSchemaProps) (*kind, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &internal, nil); err != nil {
		return nil, fmt.Errorf("convert schema: %w", err)
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, fmt.Errorf("schema is not structural: %w", err)
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, fmt.Errorf("compile schema: %w", err)
	}
	return &kind{
		structural: structural,
		schema:     validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

// Review is what the API server would say of one object.
type Review struct {
	// Unknown are the paths of fields that the schema does not have.
	Unknown []string
	// Errors are what is wrong.
	Errors field.ErrorList
	// RulesSkipped says that the CEL rules were not evaluated because fields are missing or have the wrong form.
	RulesSkipped bool
}

// OK reports whether nothing is wrong.
func (r *Review) OK() bool {
	return len(r.Unknown) == 0 && len(r.Errors) == 0
}

// Create admits a new object. It changes object as the API server would: unknown fields are removed, defaults are filled in.
func (a *Admission) Create(ctx context.Context, gvk schema.GroupVersionKind, object map[string]any) Review {
	return a.review(ctx, gvk, object, func(k *kind) field.ErrorList {
		errs := validation.ValidateCustomResource(nil, object, k.schema)
		return append(errs, validateMetadata(object)...)
	}, nil)
}

// Update admits the change of old, which was admitted before, to object. It changes object as Create does.
func (a *Admission) Update(ctx context.Context, gvk schema.GroupVersionKind, object, old map[string]any) Review {
	return a.review(ctx, gvk, object, func(k *kind) field.ErrorList {
		return validation.ValidateCustomResourceUpdate(nil, object, old, k.schema)
	}, old)
}

func (a *Admission) review(
	ctx context.Context, gvk schema.GroupVersionKind, object map[string]any, validate func(*kind) field.ErrorList, old any,
) Review {
	k := a.kinds[gvk]
	if k == nil {
		return Review{Errors: field.ErrorList{field.Invalid(field.NewPath("kind"), gvk.String(), "not a kind of Mailvane")}}
	}
	unknown, err := k.normalize(object)
	if err != nil {
		return Review{Unknown: unknown, Errors: field.ErrorList{err}, RulesSkipped: true}
	}
	errs := append(validate(k), listtype.ValidateListSetsAndMaps(nil, k.structural, object)...)
	review := Review{Unknown: unknown, Errors: errs, RulesSkipped: malformed(errs)}
	if k.rules != nil && !review.RulesSkipped {
		broken, _ := k.rules.Validate(ctx, nil, k.structural, object, old, celconfig.RuntimeCELCostBudget)
		review.Errors = append(review.Errors, broken...)
	}
	return review
}

// normalize prunes and defaults object, in the order in which the API server decodes one.
func (k *kind) normalize(object map[string]any) ([]string, *field.Error) {
	unknown := pruning.PruneWithOptions(object, k.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(object, k.structural)
	err, inMetadata := objectmeta.CoerceWithOptions(nil, object, k.structural, true, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown = append(unknown, inMetadata...)
	if err != nil {
		return unknown, err
	}
	defaulting.Default(object, k.structural)
	return unknown, nil
}

// validateMetadata checks the name, the namespace, labels and annotations.
func validateMetadata(object map[string]any) field.ErrorList {
	path := field.NewPath("metadata")
	metadata, found, err := objectmeta.GetObjectMeta(object, false)
	if err != nil {
		return field.ErrorList{field.Invalid(path, "", err.Error())}
	}
	if !found {
		metadata = &metav1.ObjectMeta{}
	}
	return metavalidation.ValidateObjectMeta(metadata, true, metavalidation.NameIsDNSSubdomain, path)
}

// malformed reports whether rules cannot be evaluated because of errs. It is the API server's own list.
func malformed(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		default:
		}
	}
	return false
}
