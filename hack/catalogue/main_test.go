package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/catalogue"
)

const repository = "../.."

// TestFilesAreUpToDate holds what is there against what the list makes of it: nothing of it is written by hand.
func TestFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	o := newOutput(repository)
	if err := o.all(); err != nil {
		t.Fatal(err)
	}
	for path, want := range o.files {
		got, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not what the list makes of it; run make generate (-list +file):\n%s", path, diff)
		}
	}
}

func TestPart(t *testing.T) {
	t.Parallel()
	at := marks{"// begin", "// end"}
	for name, test := range map[string]struct{ reason, text, want string }{
		"text":   {"what was there is replaced", "a\n// begin\nold\n// end\nb\n", "a\n// begin\nnew\n// end\nb\n"},
		"empty":  {"there may be nothing yet", "// begin\n// end\n", "// begin\nnew\n// end\n"},
		"indent": {"the last line is as deep as the first", "{\n\t// begin\n\t// end\n}\n", "{\n\t// begin\nnew\n\t// end\n}\n"},
		"open":   {"a part without an end would take the rest of the file with it", "// begin\nold\n", ""},
		"none":   {"a part without a place would be lost", "old\n", ""},
	} {
		o := newOutput(t.TempDir())
		o.files["page"] = test.text
		err := o.part("page", at, "new\n")
		if (err != nil) != (test.want == "") || err == nil && o.files["page"] != test.want {
			t.Errorf("%s: got %q, %v: %s", name, o.files["page"], err, test.reason)
		}
	}
}

// TestFactorRules shows the rules of providers that are like none of the list yet.
func TestFactorRules(t *testing.T) {
	t.Parallel()
	const has = "!has(self.provider.example) || "
	for name, test := range map[string]struct {
		reason       string
		factor       *catalogue.Factor
		bare         bool
		want, ranges string
	}{
		"signs":   {"a credential is always set", nil, false, "", "has(self.provider.example)"},
		"nothing": {"what signs nothing always needs a factor", &catalogue.Factor{Message: "must be set"}, false, has + "has(self.authentication)", ""},
		"no settings": {
			"a member that is left out must not be a way around the rule", &catalogue.Factor{Message: "must be set"}, true,
			"self.provider.type != 'Example' || has(self.authentication)", "",
		},
		"may be left out": {
			"the credential or a factor", &catalogue.Factor{Unless: "has(self.a) && self.b == 'On'", Field: "a", Message: "must be set"}, false,
			has + "has(self.provider.example.a) && self.provider.example.b == 'On' || has(self.authentication)",
			"(has(self.provider.example) && has(self.provider.example.a) && self.provider.example.b == 'On')",
		},
	} {
		rules := factorRules([]catalogue.Provider{{Type: "Example", Factor: test.factor, Bare: test.bare}})
		if test.want != "" && !strings.Contains(rules, `rule="`+test.want+`"`) {
			t.Errorf("%s: %s: got %s, want %s", name, test.reason, rules, test.want)
		}
		if want := 1 + min(1, len(test.want)); strings.Count(rules, "\n") != want || !strings.Contains(rules, test.ranges) {
			t.Errorf("%s: %s: got %s, want %s in the last of them", name, test.reason, rules, test.ranges)
		}
	}
}

// TestRegistrationRules shows the rules of providers of each kind.
func TestRegistrationRules(t *testing.T) {
	t.Parallel()
	example := func(r *catalogue.Registration) []catalogue.Provider {
		return []catalogue.Provider{{Type: "Other"}, {Type: "Example", Title: "Example", Registration: r}}
	}
	for name, test := range map[string]struct {
		reason   string
		r        *catalogue.Registration
		has, not string
	}{
		"no API":    {"nobody may ask for it", nil, "self.provider.type in []\",fieldPath=\".registration\"", "Example"},
		"plain":     {"the key says all", &catalogue.Registration{}, "!has(self.registration) || self.provider.type in ['Example']", "must be set for"},
		"account":   {"it is needed", &catalogue.Registration{Account: "the domain"}, "message=\"must be set for Example: the domain\"", "region in"},
		"optional":  {"it has a default", &catalogue.Registration{Account: "a", AccountOptional: true}, "has(self.registration.account) || self.provider.type in ['Example']", "must be set for"},
		"regions":   {"one of them", &catalogue.Registration{Regions: []string{"US", "EU"}}, "self.registration.region in ['US', 'EU']", "must be set for"},
		"base URL":  {"nobody else knows it", &catalogue.Registration{BaseURL: true}, "self.provider.type != 'Example' || has(self.registration.baseURL)", "account in"},
		"key taken": {"it may be left out then", &catalogue.Registration{Key: "keyRefs"}, "!has(self.provider.example) || has(self.provider.example.keyRefs) || has(self.registration)", "baseURL must"},
	} {
		rules := registrationRules(example(test.r))
		if !strings.Contains(rules, test.has) || strings.Contains(rules, test.not) {
			t.Errorf("%s: %s: got\n%s", name, test.reason, rules)
		}
	}
	keyed := []catalogue.Provider{{
		Type: "Example", Factor: &catalogue.Factor{Unless: "has(self.keyRefs)", Field: "keyRefs"}, Registration: &catalogue.Registration{Key: "keyRefs"},
	}}
	if rules := factorRules(keyed); strings.Count(rules, "|| has(self.registration)") != 2 {
		t.Errorf("the key that is taken is no factor: %s", rules)
	}
	if rules := registrationRules(keyed); strings.Contains(rules, "the manager then takes") {
		t.Errorf("two rules say the same: %s", rules)
	}
}
