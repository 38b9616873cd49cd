package main

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// registrationRules are the rules about what spec.registration may have, which depends on the provider.
func registrationRules(providers []catalogue.Provider) string {
	var all, accounts, regions, urls []string
	var own strings.Builder
	for i := range providers {
		p := &providers[i]
		r := p.Registration
		if r == nil {
			continue
		}
		all = append(all, p.Type)
		if r.Account != "" {
			accounts = append(accounts, p.Type)
		}
		if len(r.Regions) > 0 {
			regions = append(regions, p.Type)
		}
		if r.BaseURL {
			urls = append(urls, p.Type)
		}
		own.WriteString(ownRules(p))
	}
	return registered("", all, "must not be set: Mailvane knows no API by which webhooks of this provider are registered") +
		registered("account", accounts, "must not be set for this provider, whose key says which account is meant") +
		registered("region", regions, "must not be set for this provider, whose API has one address") +
		registered("baseURL", urls, "must not be set for this provider, whose API has an address that is known") + own.String()
}

// ownRules are those of one provider.
func ownRules(p *catalogue.Provider) string {
	r, text := p.Registration, ""
	require := func(field, message string) {
		text += rule{
			fmt.Sprintf("!has(self.registration) || self.provider.type != '%s' || has(self.registration.%s)", p.Type, field),
			".registration." + field, required, message,
		}.String()
	}
	if r.Account != "" && !r.AccountOptional {
		require("account", "must be set for "+p.Title+": "+r.Account)
	}
	if r.BaseURL {
		require("baseURL", "must be set for "+p.Title+": where it is reached")
	}
	if len(r.Regions) > 0 {
		text += rule{
			cel: fmt.Sprintf("!has(self.registration) || !has(self.registration.region) || self.provider.type != '%s' || self.registration.region in %s",
				p.Type, celList(r.Regions)),
			field: ".registration.region", message: "must be " + strings.Join(r.Regions, " or ") + " for " + p.Title,
		}.String()
	}
	if field := r.Key; field != "" && (p.Factor == nil || p.Factor.Field != field) {
		text += rule{
			fmt.Sprintf("!has(self.provider.%[1]s) || has(self.provider.%[1]s.%[2]s) || has(self.registration)", p.Member(), field),
			".provider." + p.Member() + "." + field, required, "must be set unless spec.registration is: the manager then takes the key from the provider",
		}.String()
	}
	return text
}

// registered is the rule that a field of spec.registration, or all of it, is there for some types alone.
func registered(field string, types []string, message string) string {
	has := "!has(self.registration)"
	if field != "" {
		has += " || !has(self.registration." + field + ")"
		field = "." + field
	}
	return rule{has + " || self.provider.type in " + celList(types), ".registration" + field, forbidden, message}.String()
}

// celList returns a list of texts in CEL.
func celList(values []string) string {
	if len(values) == 0 {
		return "[]"
	}
	return "['" + strings.Join(values, "', '") + "']"
}
