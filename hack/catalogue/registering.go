package main

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// registering is the list of what asks the APIs of providers.
func registering() string {
	var imports, list strings.Builder
	for _, p := range catalogue.Registering() {
		fmt.Fprintf(&imports, "\t%q\n", module+"controllers/registration/"+p.Folder())
		fmt.Fprintf(&list, "\t\t%q: %s.Vendor(),\n", p.Type, p.Folder())
	}
	return fmt.Sprintf(`// Package builtin lists the providers whose webhooks can be registered.
package builtin

import (
	%q

%s)

// Vendors returns what is known of their APIs, by spec.provider.type.
func Vendors() map[string]registration.Vendor {
	return map[string]registration.Vendor{
%s	}
}
`, module+"controllers/registration", imports.String(), list.String())
}

// registrationTable is the table of docs/registration.md.
func registrationTable() string {
	var text strings.Builder
	text.WriteString("\n| Provider | `account` | `region` | Signing key | Besides a path token |\n|---|---|---|---|---|\n")
	for _, p := range catalogue.Registering() {
		r := p.Registration
		account, region, key, carries := "-", "-", "-", "-"
		if r.Account != "" {
			account = r.Account
			if r.AccountOptional {
				account += " (optional)"
			}
		}
		if len(r.Regions) > 0 {
			region = "`" + strings.Join(r.Regions, "`, `") + "`"
		}
		if r.BaseURL {
			region = "`baseURL`"
		}
		if r.Key != "" {
			key = "in the place of `" + r.Key + "`"
		}
		if r.Carries != "" {
			carries = "`" + strings.ReplaceAll(r.Carries, ", ", "`, `") + "`"
		}
		fmt.Fprintf(&text, "| [%s](%s) | %s | %s | %s | %s |\n", p.Title, strings.TrimPrefix(p.Docs(), "docs/"), account, region, key, carries)
	}
	return text.String() + "\n"
}
