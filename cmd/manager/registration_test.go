package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/controllers/registration/builtin"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestVendors holds what is known of the APIs of providers against the list.
func TestVendors(t *testing.T) {
	t.Parallel()
	vendors := builtin.Vendors()
	for _, p := range catalogue.Registering() {
		v, r := vendors[p.Type], p.Registration
		if v.Open == nil {
			t.Errorf("%s: there is nothing that asks its API", p.Type)
			continue
		}
		if (len(v.Bases) == 0) != r.BaseURL || v.SetsKey && r.Key == "" {
			t.Errorf("%s: where its API is, or whose the key is, is said twice and not the same", p.Type)
		}
		for region, base := range v.Bases {
			if !strings.HasPrefix(base, "https://") || strings.HasSuffix(base, "/") {
				t.Errorf("%s: region %q is at %s", p.Type, region, base)
			}
		}
		for i, region := range r.Regions {
			if v.Bases[region] == "" || (i == 0 && v.Bases[region] != v.Bases[""]) {
				t.Errorf("%s: region %s is nowhere, or not the default", p.Type, region)
			}
		}
		carried := map[string]bool{"basic": v.Carries.BasicInURL || v.Carries.BasicFields, "header": v.Carries.Header}
		for factor, can := range carried {
			if strings.Contains(r.Carries, factor) != can {
				t.Errorf("%s: whether it sends the factor %s is said twice and not the same", p.Type, factor)
			}
		}
	}
}

// TestAKeyThatStandsIn is one that the provider's settings take: without it the endpoint would answer nobody, and some providers ask first.
func TestAKeyThatStandsIn(t *testing.T) {
	t.Parallel()
	judges, err := checks.New("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalogue.Registering() {
		if p.Registration.Key == "" {
			continue
		}
		v := builtin.Vendors()[p.Type]
		key, err := v.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		setting := p.Registration.Key
		if before, isReference := strings.CutSuffix(setting, "Refs"); isReference {
			setting = before + "s"
		}
		settings, err := json.Marshal(map[string][]string{setting: {key}})
		if err != nil {
			t.Fatal(err)
		}
		if err := judges.Provider(config.Plugin{Type: p.Type, Settings: settings}); err != nil {
			t.Errorf("%s: %v", p.Type, err)
		}
	}
}
