// Command policies writes the admission policies that ask whether the author of an object may do himself what the manager would do
// for him. It goes by the types of the API, so that a new reference to a Secret is asked about by itself.
package main

import (
	"fmt"
	"io"
	"os"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// maxSecrets is how many different Secrets one object may name without the right to read all of them: each question costs the API
// server 350,000 of the 10,000,000 units that it grants one policy, and a few are asked beside.
const maxSecrets = 20

const head = `# Generated from the types of the API by "make generate"; do not edit.
# The manager reads Secrets and makes objects for whoever may write an endpoint or a sink. These policies ask whether he may do so himself.
`

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "policies:", err)
		os.Exit(1)
	}
}

// run writes a policy and its binding for each kind.
func run(w io.Writer) error {
	endpoints := kind{resource: "webhookendpoints", spec: reflect.TypeFor[v1alpha1.WebhookEndpointSpec](), more: endpointRules()}
	sinks := kind{resource: "eventsinks", spec: reflect.TypeFor[v1alpha1.EventSinkSpec]()}
	if _, err := io.WriteString(w, head); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	for i, k := range []kind{sinks, endpoints} {
		policy, err := k.policy()
		if err != nil {
			return fmt.Errorf("%s: %w", k.resource, err)
		}
		for j, object := range []map[string]any{policy, k.binding()} {
			text, err := yaml.Marshal(object)
			if err != nil {
				return fmt.Errorf("encode: %w", err)
			}
			if i+j > 0 {
				text = append([]byte("---\n"), text...)
			}
			if _, err := w.Write(text); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
	}
	return nil
}

// kind is a kind of the API.
type kind struct {
	resource string
	spec     reflect.Type
	more     []rule
}

// rule is a condition under which something is made for the author, and the rights of which he needs one.
type rule struct {
	name, when, message string
	rights              []string
}

func (k *kind) name() string { return "mailvane-" + k.resource }

// policy asks nothing when the spec is as it was: a controller that adds a label needs no right to a Secret.
func (k *kind) policy() (map[string]any, error) {
	variables, names, err := k.references()
	if err != nil {
		return nil, err
	}
	secrets, validations := readRules(names)
	variables = append(variables, secrets...)
	for _, r := range k.more {
		variables = append(variables, variable(r.name, r.when))
		validations = append(validations, map[string]any{
			"expression": "!variables." + r.name + " || " + anyOf(r.rights), "message": r.message, "reason": "Forbidden",
		})
	}
	object := k.object("ValidatingAdmissionPolicy")
	object["spec"] = map[string]any{
		"failurePolicy": "Fail",
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{v1alpha1.Group}, "apiVersions": []any{"*"}, "operations": []any{"CREATE", "UPDATE"}, "resources": []any{k.resource},
		}}},
		"matchConditions": []any{map[string]any{"name": "the-spec-changes", "expression": "oldObject == null || object.spec != oldObject.spec"}},
		"variables":       variables,
		"validations":     validations,
	}
	return object, nil
}

func (k *kind) binding() map[string]any {
	object := k.object("ValidatingAdmissionPolicyBinding")
	object["spec"] = map[string]any{"policyName": k.name(), "validationActions": []any{"Deny"}}
	return object
}

func (k *kind) object(kind string) map[string]any {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion("admissionregistration.k8s.io/v1")
	o.SetKind(kind)
	o.SetName(k.name())
	return o.Object
}

func variable(name, expression string) map[string]any {
	return map[string]any{"name": name, "expression": expression}
}
