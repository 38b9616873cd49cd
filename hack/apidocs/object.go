package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// writeObject writes the table of an object's fields, then those of the objects in it.
func writeObject(page *strings.Builder, path string, schema *apiextensionsv1.JSONSchemaProps) {
	if len(schema.Properties) == 0 {
		return
	}
	fmt.Fprintf(page, "\n### %s\n\n%s\n\n", path, prose(schema.Description))
	page.WriteString("| Field | Type | Default | Bounds | Description |\n|---|---|---|---|---|\n")
	names := slices.Sorted(maps.Keys(schema.Properties))
	for _, name := range names {
		property := schema.Properties[name]
		label := "`" + name + "`"
		if slices.Contains(schema.Required, name) {
			label += " (required)"
		}
		fmt.Fprintf(page, "| %s | %s | %s | %s | %s |\n", label, typeName(&property), defaultValue(&property),
			strings.Join(bounds(&property), "; "), prose(property.Description))
	}
	writeRules(page, schema)
	for _, name := range names {
		property := schema.Properties[name]
		child := path + "." + name
		if property.Items != nil {
			writeObject(page, child+"[]", property.Items.Schema)
			continue
		}
		writeObject(page, child, &property)
	}
}

// writeRules writes the rules that hold between the fields of an object.
func writeRules(page *strings.Builder, schema *apiextensionsv1.JSONSchemaProps) {
	if len(schema.XValidations) == 0 {
		return
	}
	page.WriteString("\n")
	for _, rule := range schema.XValidations {
		field := ""
		if rule.FieldPath != "" {
			field = "`" + strings.TrimPrefix(rule.FieldPath, ".") + "` "
		}
		fmt.Fprintf(page, "- %s%s\n", field, rule.Message)
	}
}

func typeName(schema *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.XIntOrString:
		return "quantity"
	case schema.Items != nil:
		return "list of " + typeName(schema.Items.Schema)
	case schema.Format == "date-time":
		return "time"
	default:
		return schema.Type
	}
}

func defaultValue(schema *apiextensionsv1.JSONSchemaProps) string {
	if schema.Default == nil {
		return ""
	}
	return "`" + string(schema.Default.Raw) + "`"
}

// bounds returns what a field's value must keep to.
func bounds(schema *apiextensionsv1.JSONSchemaProps) []string {
	var list []string
	if len(schema.Enum) > 0 {
		values := make([]string, len(schema.Enum))
		for i, value := range schema.Enum {
			values[i] = "`" + strings.Trim(string(value.Raw), `"`) + "`"
		}
		list = append(list, strings.Join(values, ", "))
	}
	list = append(list, limit(schema.Minimum, schema.Maximum, "")...)
	list = append(list, limit(schema.MinLength, schema.MaxLength, " characters")...)
	list = append(list, limit(schema.MinItems, schema.MaxItems, " items")...)
	if schema.MinProperties != nil {
		list = append(list, fmt.Sprintf("at least %d field", *schema.MinProperties))
	}
	if schema.Pattern != "" && !schema.XIntOrString {
		list = append(list, "`"+strings.ReplaceAll(schema.Pattern, "|", `\|`)+"`")
	}
	if len(schema.XListMapKeys) > 0 {
		list = append(list, "unique by `"+strings.Join(schema.XListMapKeys, "`, `")+"`")
	}
	if schema.XListType != nil && *schema.XListType == "set" {
		list = append(list, "unique")
	}
	return append(list, valueRules(schema)...)
}

// limit returns "1 to 8 items" for whatever ends of it are set.
func limit[T int64 | float64](low, high *T, unit string) []string {
	switch {
	case low != nil && high != nil:
		return []string{fmt.Sprintf("%v to %v%s", int64(*low), int64(*high), unit)}
	case low != nil:
		return []string{fmt.Sprintf("at least %v%s", int64(*low), unit)}
	case high != nil:
		return []string{fmt.Sprintf("at most %v%s", int64(*high), unit)}
	default:
		return nil
	}
}

// valueRules returns the rules of a single value, or of the values in a list.
func valueRules(schema *apiextensionsv1.JSONSchemaProps) []string {
	var list []string
	if schema.Items != nil && len(schema.Items.Schema.Properties) == 0 {
		list = append(list, bounds(schema.Items.Schema)...)
	}
	if schema.Type == "object" {
		return list
	}
	for _, rule := range schema.XValidations {
		list = append(list, rule.Message)
	}
	return list
}
