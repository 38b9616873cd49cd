package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// settingsFile is what is written of the settings into the package that reads them.
const settingsFile = "/settings/zz_generated.settings.go"

// rulesFile is the type that the settings of several providers share, in the package that reads it.
const rulesFile = "receiver/provider/mapping/zz_generated.rules.go"

// settings makes the types of settings: those of the API with the values of Secrets in place of the references. They follow the rule by
// which controllers/render resolves references.
func settings(o *output) error {
	api, err := readAPI(o.root)
	if err != nil {
		return err
	}
	rules := newWriter(api, "EventMapping", "EventMapping", "Rules")
	if err := rules.write(rules.root); err != nil {
		return fmt.Errorf("%s: %w", rules.root, err)
	}
	if err := o.golang(rulesFile, "package mapping\n"+rules.text.String()); err != nil {
		return err
	}
	for _, p := range catalogue.Providers() {
		if err := api.settings(o, "receiver/provider/"+p.Folder(), p.SettingsType(), p.Type); err != nil {
			return err
		}
	}
	for _, s := range catalogue.Sinks() {
		if err := api.settings(o, "receiver/sink/"+s.Folder(), s.SettingsType(), s.Type); err != nil {
			return err
		}
	}
	return nil
}

// settings makes the types of one member.
func (a *api) settings(o *output, folder, root, prefix string) error {
	w := newWriter(a, root, prefix, "Settings")
	if err := w.write(root); err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	var source strings.Builder
	source.WriteString("package settings\n")
	for _, path := range slices.Sorted(maps.Keys(w.imports)) {
		fmt.Fprintf(&source, "\nimport %q\n", module+path)
	}
	return o.golang(folder+settingsFile, source.String()+w.text.String())
}

// settingsWriter writes the types of one member's settings.
type settingsWriter struct {
	api *api
	// root is the type of the member, which gets the name rootName. It, or prefix, is taken off the names of the others.
	root, prefix, rootName string
	seen                   map[string]bool
	text                   strings.Builder
	imports                map[string]bool
}

func newWriter(a *api, root, prefix, rootName string) *settingsWriter {
	return &settingsWriter{api: a, root: root, prefix: prefix, rootName: rootName, seen: map[string]bool{}, imports: map[string]bool{}}
}

// name is that of a type or constant of the API in the settings.
func (w *settingsWriter) name(api string) string {
	if api == w.root {
		return w.rootName
	}
	for _, prefix := range []string{w.root, w.prefix} {
		if rest := strings.TrimPrefix(api, prefix); rest != api && rest != "" {
			return rest
		}
	}
	return api
}

// write writes a type, and then those that it uses.
func (w *settingsWriter) write(name string) error {
	if w.seen[name] {
		return nil
	}
	w.seen[name] = true
	declared, ok := w.api.types[name]
	if !ok {
		return fmt.Errorf("the API has no type %s", name)
	}
	switch typ := declared.Type.(type) {
	case *ast.StructType:
		return w.structure(name, typ)
	case *ast.Ident:
		w.enum(name, typ.Name)
		return nil
	default:
		return fmt.Errorf("type %s: settings are structs and enums", name)
	}
}

func (w *settingsWriter) structure(name string, typ *ast.StructType) error {
	comment := w.name(name) + " is the API's " + name + " with the values of its Secrets.\n"
	if name == w.root {
		comment = w.rootName + " are the API's " + name + " with the values of its Secrets in place of the references.\n"
	}
	var fields strings.Builder
	var used []string
	for _, field := range typ.Fields.List {
		text, uses, err := w.field(field)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, field.Names[0].Name, err)
		}
		fields.WriteString(text)
		used = append(used, uses)
	}
	fmt.Fprintf(&w.text, "\n// %stype %s struct {\n%s}\n", comment, w.name(name), fields.String())
	for _, uses := range used {
		if uses == "" {
			continue
		}
		if err := w.write(uses); err != nil {
			return err
		}
	}
	return nil
}

// field writes a field, and returns the type of the API that it uses.
func (w *settingsWriter) field(field *ast.Field) (text, uses string, err error) {
	json := jsonName(field)
	name := field.Names[0].Name
	kind, of := unwrap(field.Type)
	resolved, reference := references()[of]
	sharedType, isShared := shared()[of]
	comment := "is " + json + " of the API."
	switch {
	case reference && kind == "[]":
		comment = "are the values that " + json + " names."
		json, name = strings.TrimSuffix(json, "Refs")+"s", strings.TrimSuffix(name, "Refs")+"s"
	case reference:
		comment = "is the value that " + json + " names."
		json, name = strings.TrimSuffix(json, "Ref"), strings.TrimSuffix(name, "Ref")
		kind = ""
		if strings.Contains(resolved, ".") {
			kind = "*"
		}
	}
	switch {
	case reference:
		if strings.Contains(resolved, ".") {
			w.imports["receiver/settings"] = true
		}
	case isShared:
		resolved = sharedType.name
		w.imports[sharedType.path] = true
	case slices.Contains([]string{"string", "int32", "int64", "bool"}, of):
		resolved = of
	case of == "":
		return "", "", fmt.Errorf("type %T cannot be a setting", field.Type)
	default:
		resolved, uses = w.name(of), of
	}
	return fmt.Sprintf("\t// %s %s\n\t%s %s%s `json:\"%s,omitzero\"`\n", name, comment, name, kind, resolved, json), uses, nil
}

// references are the types that name Secrets, and what they become: see controllers/render.
func references() map[string]string {
	return map[string]string{
		"SecretKeyReference": "string", "CertificateReference": "string", "FileReference": "string",
		"BasicSecretReference": "settings.Basic", "TLSSecretReference": "settings.KeyPair",
	}
}

// sharedType is a type that several settings share, and that is in a package of its own.
type sharedType struct{ path, name string }

func shared() map[string]sharedType {
	return map[string]sharedType{"EventMapping": {"receiver/provider/mapping", "mapping.Rules"}}
}

func (w *settingsWriter) enum(name, of string) {
	fmt.Fprintf(&w.text, "\n// %s is the API's %s.\ntype %s %s\n", w.name(name), name, w.name(name), of)
	constants := w.api.constants[name]
	if len(constants) == 0 {
		return
	}
	slices.SortFunc(constants, func(a, b constant) int { return cmp.Compare(a.at, b.at) })
	fmt.Fprintf(&w.text, "\n// The values of %s.\nconst (\n", w.name(name))
	for _, c := range constants {
		fmt.Fprintf(&w.text, "\t%s %s = %s\n", w.name(c.name), w.name(name), c.value)
	}
	w.text.WriteString(")\n")
}
