package catalogue_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/catalogue"
)

const repository = "../.."

func TestNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, member string }{
		{"WebexConnect", "webexConnect"},
		{"AmazonSES", "amazonSES"},
		{"SMTP2GO", "smtp2go"},
		{"HTTP", "http"},
		{"S3", "s3"},
		{"PostgreSQL", "postgreSQL"},
	} {
		p, s := catalogue.Provider{Type: test.typ}, catalogue.Sink{Type: test.typ}
		if p.Member() != test.member || s.Member() != test.member {
			t.Errorf("%s: %s and %s, want %s", test.typ, p.Member(), s.Member(), test.member)
		}
	}
}

// entry is a line of the list and what there must be of it.
type entry struct{ typ, title, folder, docs, settings string }

func providers() []entry {
	var list []entry
	for _, p := range catalogue.Providers() {
		list = append(list, entry{p.Type, p.Title, "receiver/provider/" + p.Folder(), p.Docs(), "provider_" + p.Folder() + "_types.go"})
	}
	return list
}

func sinks() []entry {
	var list []entry
	for _, s := range catalogue.Sinks() {
		list = append(list, entry{s.Type, s.Title, "receiver/sink/" + s.Folder(), s.Docs(), "sink_" + strings.ToLower(s.Type) + "_types.go"})
	}
	return list
}

// TestEveryEntryIsComplete looks for the folder, the type of the settings and the page of each entry.
func TestEveryEntryIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range append(providers(), sinks()...) {
		if e.typ == "" || e.title == "" || seen[e.folder] {
			t.Errorf("%+v has no name, or that of another", e)
		}
		seen[e.folder] = true
		for _, path := range []string{e.folder, e.docs, "api/v1alpha1/" + e.settings} {
			if _, err := os.Stat(filepath.Join(repository, path)); err != nil {
				t.Errorf("%s: %v", e.typ, err)
			}
		}
		if page, err := os.ReadFile(filepath.Join(repository, e.docs)); err == nil && !strings.HasPrefix(string(page), "# "+e.title+"\n") {
			t.Errorf("%s is not the page of %s", e.docs, e.title)
		}
	}
	for _, p := range catalogue.Providers() {
		if !strings.HasPrefix(p.Page, "https://") || p.Signs == "" {
			t.Errorf("%s: what it says of itself, or what it signs, is not known", p.Type)
		}
		if p.Bare && (p.Factor == nil || p.Factor.Unless != "" || p.Factor.Field != "") {
			t.Errorf("%s has no settings, and so no credential: an endpoint always needs another factor", p.Type)
		}
		if p.Signs == catalogue.SignsNothing && (p.Factor == nil || p.Factor.Unless != "") {
			t.Errorf("%s signs nothing: an endpoint always needs another factor", p.Type)
		}
	}
}

// TestNothingIsLeftOut looks for what is there of a provider or sink that the list does not have.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern string
		entries []entry
		path    func(entry) string
	}{
		{"docs/providers/*.md", providers(), func(e entry) string { return e.docs }},
		{"docs/sinks/*.md", sinks(), func(e entry) string { return e.docs }},
		{"api/v1alpha1/provider_*_types.go", providers(), func(e entry) string { return "api/v1alpha1/" + e.settings }},
		{"receiver/sink/*sink", sinks(), func(e entry) string { return e.folder }},
	} {
		var got, want []string
		files, err := filepath.Glob(filepath.Join(repository, test.pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			got = append(got, filepath.ToSlash(strings.TrimPrefix(file, filepath.FromSlash(repository+"/"))))
		}
		for _, e := range test.entries {
			want = append(want, test.path(e))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-list +files):\n%s", test.pattern, diff)
		}
	}
}

// maxNamed is how many providers a file may name that is about none of them: some serve as examples.
const maxNamed = 3

// listers are the files that are about several providers by their nature, each with the reason.
func listers() map[string]string {
	return map[string]string{
		"internal/catalogue/providers.go":                "it is the list",
		"api/v1alpha1/webhookendpoint_admission_test.go": "each row shows a rule of one provider's own",
		"receiver/sink/httpsink/providers_test.go":       "each row shows what one provider alone does; a provider without one is compared as it is",
		"config/policy/policy_test.go":                   "each row shows how a reference of one provider is found; a reference without one fails",
	}
}

// TestNobodyKeepsAnotherList looks for Go files that name more providers than examples need: what goes through all of them takes them
// from the list, and does not forget the next one.
func TestNobodyKeepsAnotherList(t *testing.T) {
	t.Parallel()
	types := make([]string, 0, len(catalogue.Providers()))
	for _, e := range providers() {
		types = append(types, e.typ)
	}
	name := regexp.MustCompile(`(?:"|v1alpha1\.)(` + strings.Join(types, "|") + `)\b|"(?i:(` + strings.Join(types, "|") + `))"`)
	err := fs.WalkDir(os.DirFS(repository), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "zz_generated") || listers()[path] != "" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(repository, path))
		named := map[string]bool{}
		for _, match := range name.FindAllString(string(text), -1) {
			named[strings.ToLower(strings.Trim(strings.TrimPrefix(match, "v1alpha1."), `"`))] = true
		}
		if len(named) > maxNamed {
			t.Errorf("%s names %d providers; take them from internal/catalogue", path, len(named))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
