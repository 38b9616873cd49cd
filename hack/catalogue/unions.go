package main

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

const apiFolder = "api/v1alpha1/"

// unions makes the enums, the constants, the members and their rules.
func unions(o *output) error {
	if err := o.golang(apiFolder+"zz_generated.providers.go", providerUnion(catalogue.Providers())); err != nil {
		return err
	}
	if err := o.golang(apiFolder+"zz_generated.sinks.go", sinkTypes(catalogue.Sinks())); err != nil {
		return err
	}
	if err := o.part(apiFolder+"webhookendpoint_types.go", goMarks("factors"), factorRules(catalogue.Providers())+registrationRules(catalogue.Providers())); err != nil {
		return err
	}
	if err := o.part(apiFolder+"eventsink_types.go", goMarks("rules"), sinkRules(catalogue.Sinks())); err != nil {
		return err
	}
	return o.part(apiFolder+"eventsink_types.go", goMarks("members"), sinkMembers(catalogue.Sinks()))
}

// rule is a CEL rule of a type, in the form of a marker.
type rule struct{ cel, field, reason, message string }

// Reasons of rules.
const (
	required  = "FieldValueRequired"
	forbidden = "FieldValueForbidden"
)

func (r rule) String() string {
	text := "// +kubebuilder:validation:XValidation:rule=\"" + r.cel + "\",fieldPath=\"" + r.field + "\""
	if r.reason != "" {
		text += ",reason=" + r.reason
	}
	return text + ",message=\"" + r.message + "\"\n"
}

// memberRules tie a member to its type.
func memberRules(typ, member string, optional bool) string {
	var text string
	if !optional {
		text = rule{
			fmt.Sprintf("self.type != '%s' || has(self.%s)", typ, member), "." + member, required, "must be set when type is " + typ,
		}.String()
	}
	return text + rule{
		fmt.Sprintf("self.type == '%s' || !has(self.%s)", typ, member), "." + member, forbidden, "must not be set unless type is " + typ,
	}.String()
}

// describe is the description of a member.
func describe(typ, member string, bare bool) string {
	if bare {
		return member + " may be set, to {}, for type " + typ + ", which has no settings."
	}
	return member + " holds the settings of type " + typ + "."
}

func member(comment, typ, settings, name string) string {
	return fmt.Sprintf("\t// %s\n\t// +optional\n\t// +unionMember\n\t%s *%s `json:\"%s,omitempty\"`\n", comment, typ, settings, name)
}

func providerUnion(providers []catalogue.Provider) string {
	var types, constants, rules, members strings.Builder
	for i := range providers {
		p := &providers[i]
		types.WriteString(";" + p.Type)
		fmt.Fprintf(&constants, "\t%s ProviderType = %q\n", p.Type, p.Type)
		rules.WriteString(memberRules(p.Type, p.Member(), p.Bare))
		members.WriteString(member(describe(p.Type, p.Member(), p.Bare), p.Type, p.SettingsType(), p.Member()))
	}
	return `package v1alpha1

// ProviderType names an email provider.
// +kubebuilder:validation:Enum=` + types.String()[1:] + `
type ProviderType string

// The providers.
const (
` + constants.String() + `)

// Provider is a provider and its settings: exactly the member that type names is set.
` + rules.String() + `type Provider struct {
	// type names the provider. It must not be changed: an endpoint of another provider is another endpoint.
	// +required
	// +unionDiscriminator
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="must not be changed; create another WebhookEndpoint"
	Type ProviderType ` + "`json:\"type,omitempty\"`\n" + members.String() + "}\n"
}

func sinkTypes(sinks []catalogue.Sink) string {
	var types, constants strings.Builder
	for i := range sinks {
		types.WriteString(";" + sinks[i].Type)
		fmt.Fprintf(&constants, "\tSink%s SinkType = %q\n", sinks[i].Type, sinks[i].Type)
	}
	return `package v1alpha1

// SinkType names a kind of destination.
// +kubebuilder:validation:Enum=` + types.String()[1:] + `
type SinkType string

// The kinds of destinations.
const (
` + constants.String() + ")\n"
}

func sinkRules(sinks []catalogue.Sink) string {
	var text strings.Builder
	for i := range sinks {
		text.WriteString(memberRules(sinks[i].Type, sinks[i].Member(), sinks[i].Bare))
	}
	return text.String()
}

func sinkMembers(sinks []catalogue.Sink) string {
	var text strings.Builder
	text.WriteByte('\n') // what stands right before a comment is a part of it for those who read the first field's
	for i := range sinks {
		s := &sinks[i]
		text.WriteString(member(describe(s.Type, s.Member(), s.Bare), s.Type, s.SettingsType(), s.Member()))
	}
	return text.String()
}
