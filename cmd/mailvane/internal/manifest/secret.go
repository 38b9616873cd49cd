package manifest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	kjson "sigs.k8s.io/json"

	"github.com/mailvane/mailvane/controllers/render"
)

// addSecret takes a Secret. As in a cluster, stringData wins over data.
func (r *reading) addSecret(_ context.Context, _ schema.GroupVersionKind, content map[string]any) (func(), []Problem) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, []Problem{{Message: err.Error()}}
	}
	var secret corev1.Secret
	strict, err := kjson.UnmarshalStrict(text, &secret)
	if err != nil {
		return nil, []Problem{secretProblem(err)}
	}
	var problems []Problem
	for _, err := range strict {
		problems = append(problems, strictProblem(err))
	}
	for _, wrong := range validation.IsDNS1123Subdomain(secret.Name) {
		problems = append(problems, Problem{Field: "metadata.name", Message: wrong})
	}
	data := map[string][]byte{}
	maps.Copy(data, secret.Data)
	for key, value := range secret.StringData {
		data[key] = []byte(value)
	}
	key := render.Object{Kind: secretKind, Namespace: secret.Namespace, Name: secret.Name}
	return func() { r.set.secrets[key], r.set.types[key] = data, string(secret.Type) }, problems
}

// secretProblem says what to do about a Secret that does not decode. It does not repeat values.
func secretProblem(err error) Problem {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return Problem{Field: wrongType.Field, Message: "must be text; put it between quotation marks"}
	}
	if strings.Contains(err.Error(), "illegal base64") {
		return Problem{Field: "data", Message: "must be base64; plain text belongs in stringData"}
	}
	return Problem{Message: "is not a Secret: " + err.Error()}
}

// strictProblem turns a report of the strict decoder about an unknown field into a problem.
func strictProblem(err error) Problem {
	var wrongField kjson.FieldError
	if !errors.As(err, &wrongField) {
		return Problem{Message: err.Error()}
	}
	path := wrongField.FieldPath()
	_, name := cutLast(path)
	return Problem{Field: path, Message: unknown(name, "field", []string{"data", "immutable", "metadata", "stringData", "type"})}
}
