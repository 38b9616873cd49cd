package main

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// tables makes the tables of the README.
func tables(o *output) error {
	if err := o.part("README.md", markdownMarks("providers"), providerTable(catalogue.Providers())); err != nil {
		return err
	}
	if err := o.part("docs/registration.md", markdownMarks("registration"), registrationTable()); err != nil {
		return err
	}
	return o.part("README.md", markdownMarks("sinks"), sinkTable(catalogue.Sinks()))
}

func providerTable(providers []catalogue.Provider) string {
	var text strings.Builder
	text.WriteString("\n| Provider | `type` | Its own page | Its signature covers | Inbound mail |\n|---|---|---|---|---|\n")
	for i := range providers {
		p := &providers[i]
		inbound := "no"
		if p.Inbound {
			inbound = "yes"
		}
		fmt.Fprintf(&text, "| [%s](%s) | `%s` | [webhooks](%s) | %s | %s |\n", p.Title, p.Docs(), p.Type, p.Page, p.Signs, inbound)
	}
	return text.String() + "\n"
}

func sinkTable(sinks []catalogue.Sink) string {
	var text strings.Builder
	text.WriteString("\n| Sink | `type` | Events go to |\n|---|---|---|\n")
	for i := range sinks {
		fmt.Fprintf(&text, "| [%s](%s) | `%s` | %s |\n", sinks[i].Title, sinks[i].Docs(), sinks[i].Type, sinks[i].Summary)
	}
	return text.String() + "\n"
}
