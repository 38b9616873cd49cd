package providertest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lookups are the functions of package wire that look members up by their names.
func lookups() []string {
	return []string{
		"Text", "Texts", "JSON", "Object", "Objects", "Address", "Addresses", "Mailboxes",
		"Entries", "ObjectEntries", "Lists", "KeepDetails", "KeepMembers",
	}
}

// names tests that each member name which the package under test looks up occurs in a sample, or is declared not to: a name that is
// mistyped reads as a member that is never there.
func (s Suite) names(t *testing.T, samples []sample) {
	t.Helper()
	for name, place := range lookedUp(t) {
		quoted := []byte(strconv.Quote(name))
		sampled := slices.ContainsFunc(samples, func(sample sample) bool {
			inner, _ := s.opened(sample.request.Body)
			return bytes.Contains(inner, quoted) || bytes.Contains(sample.request.Body, quoted)
		})
		if _, declared := s.Unsampled[name]; sampled == declared {
			t.Errorf("%s: the member %q occurs in a sample: %v; it is declared to be in none: %v", place, name, sampled, declared)
		}
	}
}

// lookedUp returns the names that the package in the working directory looks up, and where.
func lookedUp(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(lookups(), method.Sel.Name) {
				literals(call.Args, func(text string, at token.Pos) { names[text] = files.Position(at).String() })
			}
			return true
		})
	})
	return names
}

// eachFile calls see with each file of the package in the working directory.
func eachFile(t *testing.T, see func(*token.FileSet, *ast.File)) {
	t.Helper()
	files := token.NewFileSet()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		see(files, file)
	}
}

// literals calls found for the texts among arguments.
func literals(arguments []ast.Expr, found func(text string, at token.Pos)) {
	for _, a := range arguments {
		if literal, ok := a.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				found(text, literal.Pos())
			}
		}
	}
}
