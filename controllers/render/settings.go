package render

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// settingsResolver turns members of the API into settings: the same JSON with the values of Secrets in place of the
// references. It goes by the types of the references, so a new provider or sink needs nothing here:
//
//	xRefs []SecretKeyReference    becomes  xs, a list of strings
//	xRefs []BasicSecretReference  becomes  xs, a list of {username, password}
//	xRef  *SecretKeyReference     becomes  x, a string
//	xRefs []CertificateReference  becomes  xs, a list of texts in PEM
//	xRef  *FileReference          becomes  x, the text of a file
//	xRef  *TLSSecretReference     becomes  x, {certificate, key} in PEM
type settingsResolver struct {
	object Object
	secret func(namespace, name string) (map[string][]byte, bool)
	// secretType returns the type of a Secret; nil = nobody knows.
	secretType func(namespace, name string) string
	// keys are those that the manager has taken from a provider's API; nil = none.
	keys *takenKeys
	// factors says that the values are factors by themselves, and must not be guessed.
	factors bool

	problems []Problem
}

// add notes a problem that lies in the object itself.
func (s *settingsResolver) add(field, reason, format string, args ...any) {
	s.addRelated(Object{}, field, reason, format, args...)
}

// addRelated notes a problem that lies in another object of the same namespace, once.
func (s *settingsResolver) addRelated(related Object, field, reason, format string, args ...any) {
	s.note(Problem{Object: s.object, Field: field, Reason: reason, Message: fmt.Sprintf(format, args...), Related: related})
}

// warn notes what is odd and may be right.
func (s *settingsResolver) warn(related Object, field, format string, args ...any) {
	s.note(Problem{
		Object: s.object, Field: field, Reason: v1alpha1.ReasonReconciled, Message: fmt.Sprintf(format, args...), Related: related, Warning: true,
	})
}

func (s *settingsResolver) note(problem Problem) {
	if !slices.Contains(s.problems, problem) {
		s.problems = append(s.problems, problem)
	}
}

// plugin returns the settings of the union's member that is named like kind, up to the case of its letters. A kind without
// a member, or with one that is not set, has no settings.
func (s *settingsResolver) plugin(kind string, union any, path string, check func(config.Plugin) error) config.Plugin {
	before := len(Faults(s.problems))
	plugin := config.Plugin{Type: kind, Settings: json.RawMessage("{}")}
	value := reflect.ValueOf(union)
	for i := range value.NumField() {
		name := jsonName(value.Type().Field(i))
		if strings.EqualFold(name, kind) && !value.Field(i).IsZero() {
			path += "." + name
			plugin.Settings = s.settings(value.Field(i).Interface(), path, s.keys)
		}
	}
	if check == nil || len(Faults(s.problems)) > before {
		return plugin
	}
	if err := check(plugin); err != nil {
		s.add(path, v1alpha1.ReasonInvalidSettings, "%v", err)
	}
	return plugin
}

// settings returns the JSON of one member and of the keys that belong to it, with its keys sorted.
func (s *settingsResolver) settings(member any, path string, keys *takenKeys) json.RawMessage {
	resolved := s.value(reflect.ValueOf(member), path)
	s.addTaken(resolved, keys)
	data, err := json.Marshal(resolved)
	if err != nil {
		s.add(path, v1alpha1.ReasonInvalidSettings, "%v", err)
		return json.RawMessage("{}")
	}
	return data
}

// value returns what v becomes in the settings.
func (s *settingsResolver) value(v reflect.Value, path string) any {
	if _, isValue := reflect.TypeAssert[json.Marshaler](v); isValue {
		return v.Interface()
	}
	switch reference := v.Interface().(type) {
	case v1alpha1.SecretKeyReference:
		return s.secretKey(path, reference.Name, reference.Key, s.least(minFactorBytes))
	case v1alpha1.BasicSecretReference:
		return config.BasicCredential{
			Username: s.secretKey(path, reference.Name, "username", 0),
			Password: s.secretKey(path, reference.Name, "password", s.least(minPasswordBytes)),
		}
	case v1alpha1.CertificateReference:
		return s.fileKey(path, reference.Name, reference.Key)
	case v1alpha1.FileReference:
		return s.fileKey(path, reference.Name, reference.Key)
	case v1alpha1.TLSSecretReference:
		return map[string]string{
			"certificate": s.fileKey(path, reference.Name, "tls.crt"),
			"key":         s.fileKey(path, reference.Name, "tls.key"),
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return s.value(v.Elem(), path)
	case reflect.Struct:
		return s.structure(v, path)
	case reflect.Slice:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = s.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
		return items
	default:
		return v.Interface()
	}
}

// least returns the length that a value must have, in bytes.
func (s *settingsResolver) least(ofFactor int) int {
	if s.factors {
		return ofFactor
	}
	return 0
}

// structure returns the fields of a struct that are set.
func (s *settingsResolver) structure(v reflect.Value, path string) map[string]any {
	object := map[string]any{}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if v.Field(i).IsZero() {
			continue
		}
		name := jsonName(field)
		object[settingName(name, field.Type)] = s.value(v.Field(i), path+"."+name)
	}
	return object
}

// settingName returns the name of a field in the settings: that of the API, without the word for a reference.
func settingName(name string, field reflect.Type) string {
	isList := field.Kind() == reflect.Slice
	for field.Kind() == reflect.Slice || field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch field {
	case reflect.TypeFor[v1alpha1.SecretKeyReference](), reflect.TypeFor[v1alpha1.BasicSecretReference](),
		reflect.TypeFor[v1alpha1.CertificateReference](), reflect.TypeFor[v1alpha1.TLSSecretReference](),
		reflect.TypeFor[v1alpha1.FileReference]():
	default:
		return name
	}
	if isList {
		return strings.TrimSuffix(name, "Refs") + "s"
	}
	return strings.TrimSuffix(name, "Ref")
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
