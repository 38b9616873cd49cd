package main

import (
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// factorRules are the rules by which endpoints need a factor of spec.authentication, and by which ranges of addresses may be the only one.
func factorRules(providers []catalogue.Provider) string {
	var text strings.Builder
	for i := range providers {
		if p := &providers[i]; p.Factor != nil {
			text.WriteString(factorRule(p).String())
		}
	}
	return text.String() + rangesRule(providers).String()
}

func factorRule(p *catalogue.Provider) rule {
	unless := ""
	if p.Factor.Unless != "" {
		unless = " || " + overMember(p)
	}
	field := ".authentication"
	if p.Factor.Field != "" {
		field = ".provider." + p.Member() + "." + p.Factor.Field
	}
	not := "!has(self.provider." + p.Member() + ")"
	if p.Bare { // its member may be left out, and the rule holds all the same
		not = "self.provider.type != '" + p.Type + "'"
	}
	return rule{not + unless + " || has(self.authentication)" + keyTaken(p), field, required, p.Factor.Message}
}

// keyTaken is the condition under which the manager takes what is to be set from the provider's API.
func keyTaken(p *catalogue.Provider) string {
	if p.Registration == nil || p.Registration.Key == "" || p.Registration.Key != p.Factor.Field {
		return ""
	}
	return " || has(self.registration)"
}

// overMember is the condition under which a provider's endpoint needs no factor, in a rule of the spec.
func overMember(p *catalogue.Provider) string {
	return strings.ReplaceAll(p.Factor.Unless, "self.", "self.provider."+p.Member()+".")
}

// rangesRule refuses ranges that are as good as everybody, unless something else authenticates requests: another factor, or the provider.
func rangesRule(providers []catalogue.Provider) rule {
	var always, sometimes []string
	for i := range providers {
		p := &providers[i]
		has := "has(self.provider." + p.Member() + ")"
		switch {
		case p.Factor == nil:
			always = append(always, has)
		case p.Factor.Unless != "":
			unless := overMember(p)
			if taken := keyTaken(p); taken != "" {
				unless = "(" + unless + taken + ")"
			}
			sometimes = append(sometimes, "("+has+" && "+unless+")")
		}
	}
	conditions := []string{
		"!has(self.authentication)", "!has(self.authentication.allowedCIDRs)",
		"has(self.authentication.pathToken)", "has(self.authentication.basic)", "has(self.authentication.header)", "has(self.authentication.oidc)",
	}
	conditions = append(append(conditions, always...), sometimes...)
	conditions = append(conditions,
		"self.authentication.allowedCIDRs.all(c, !isCIDR(c) || cidr(c).prefixLength() >= (cidr(c).ip().family() == 4 ? 8 : 32))")
	return rule{
		cel: strings.Join(conditions, " || "), field: ".authentication.allowedCIDRs",
		message: "must be ranges of /8 or longer, of IPv6 /32 or longer, where nothing else authenticates requests",
	}
}
