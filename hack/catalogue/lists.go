package main

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/catalogue"
)

const module = "github.com/mailvane/mailvane/"

// lists makes the lists of what is linked into programs.
func lists(o *output) error {
	providers, sinks := catalogue.Providers(), catalogue.Sinks()
	folders := make([]string, len(providers))
	for i := range providers {
		folders[i] = providers[i].Folder()
	}
	if err := o.golang("receiver/provider/builtin/zz_generated.kinds.go", kinds("provider", folders)); err != nil {
		return err
	}
	folders = make([]string, len(sinks))
	for i := range sinks {
		folders[i] = sinks[i].Folder()
	}
	if err := o.golang("receiver/sink/builtin/zz_generated.kinds.go", kinds("sink", folders)); err != nil {
		return err
	}
	if err := o.golang("internal/simulate/zz_generated.vendors.go", vendors(providers)); err != nil {
		return err
	}
	if err := o.golang("controllers/registration/builtin/zz_generated.vendors.go", registering()); err != nil {
		return err
	}
	return o.golang("receiver/settings/builtin/zz_generated.checks.go", checks(providers, sinks))
}

// vendors is the list of what makes the requests of providers.
func vendors(providers []catalogue.Provider) string {
	var imports, list strings.Builder
	for i := range providers {
		folder := providers[i].Folder()
		fmt.Fprintf(&imports, "\t%q\n", module+"internal/simulate/"+folder)
		fmt.Fprintf(&list, "\t\t{%q, %s.Files(), %s.Sign, %s.Freshen},\n", providers[i].Type, folder, folder, folder)
	}
	return fmt.Sprintf(`package simulate

import (
%s)

// Vendors returns every provider, in the order in which they are listed to people.
func Vendors() []Vendor {
	return []Vendor{
%s	}
}
`, imports.String(), list.String())
}

// checks are the lists of what checks settings.
func checks(providers []catalogue.Provider, sinks []catalogue.Sink) string {
	var imports, providerList, sinkList strings.Builder
	for i := range providers {
		p := &providers[i]
		fmt.Fprintf(&imports, "\t%s %q\n", p.Folder(), module+"receiver/provider/"+p.Folder()+"/settings")
		fmt.Fprintf(&providerList, "\t\t{%q, provider(%s.Parse)},\n", p.Type, p.Folder())
	}
	for i := range sinks {
		s := &sinks[i]
		fmt.Fprintf(&imports, "\t%s %q\n", s.Folder(), module+"receiver/sink/"+s.Folder()+"/settings")
		fmt.Fprintf(&sinkList, "\t\t{%q, sink(%s.Parse)},\n", s.Type, s.Folder())
	}
	return fmt.Sprintf(`package builtin

import (
%s)

// Providers returns the checks of every provider.
func Providers() []Check {
	return []Check{
%s	}
}

// Sinks returns the checks of every sink.
func Sinks() []Check {
	return []Check{
%s	}
}
`, imports.String(), providerList.String(), sinkList.String())
}

// kinds is the list of what a seam's packages are.
func kinds(seam string, folders []string) string {
	var imports, list strings.Builder
	for _, folder := range folders {
		fmt.Fprintf(&imports, "\t%q\n", module+"receiver/"+seam+"/"+folder)
		fmt.Fprintf(&list, "\t\t%s.Kind(),\n", folder)
	}
	return fmt.Sprintf(`package builtin

import (
	%q

%s)

// Kinds returns every %s, in the order in which they are listed to people.
func Kinds() []%s.Kind {
	return []%s.Kind{
%s	}
}
`, module+"receiver/"+seam, imports.String(), seam, seam, seam, list.String())
}
