package providertest

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Other stands in a row of [Bounces] for what no other row has.
const Other = "any other"

// Bounces describes the table of a page that says what becomes of a message which a provider gave up. Each of its rows is what Decode makes
// of a sample that says it.
type Bounces struct {
	// Page is the page's name in docs/providers, without ".md", and Name that of the table in it.
	Page, Name string
	// Sample is the name of the sample, and At are the places in it where a row stands, by their JSON Pointers.
	Sample string
	At     []jsontext.Pointer
	// Blank are places that are emptied, so that nothing but the row decides.
	Blank []jsontext.Pointer
	// Rows are the texts for the places; "" = nothing is said there.
	Rows []Row
	// Functions are those of the package whose texts must all be in a row: a code that is new is missed in the table.
	Functions []string
}

// CheckBounces makes sure that a page has a table of bounces that the code makes; see [CheckTable].
func CheckBounces(t *testing.T, s Suite, b *Bounces) {
	t.Helper()
	s = s.complete(t)
	samples := s.samples(t)
	i := slices.IndexFunc(samples, func(sample sample) bool { return sample.name == b.Sample+".http" })
	if i < 0 {
		t.Fatalf("there is no sample %s", b.Sample)
	}
	w := s.webhook(t, s.Settings)
	var header Row
	for _, at := range b.At {
		header = append(header, "`"+at.LastToken()+"`")
	}
	var rows []Row
	for _, said := range b.Rows {
		r := clone(samples[i].request)
		inner, replace := s.opened(r.Body)
		r.Body = replace(b.say(t, inner, said))
		events := w.Decode(r).Events
		if len(events) == 0 {
			t.Fatalf("%q is no event", said)
		}
		rows = append(rows, slices.Concat(shown(said), outcome(&events[0])))
	}
	b.checkFunctions(t)
	CheckTable(t, "../../../docs/providers/"+b.Page+".md", b.Name, append(header, "Mailvane", "type", "category or reason"), rows)
}

// say returns a body with the texts of a row in their places.
func (b *Bounces) say(t *testing.T, body []byte, said Row) []byte {
	t.Helper()
	if len(said) != len(b.At) {
		t.Fatalf("%q: there are %d places", said, len(b.At))
	}
	found := 0
	body = wire.Edit(body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		if slices.Contains(b.Blank, at) {
			found++
			return `""`
		}
		if i := slices.Index(b.At, at); i >= 0 {
			found++
			return wire.Quote(said[i])
		}
		return ""
	})
	if found != len(b.At)+len(b.Blank) {
		t.Fatalf("the sample %s has %d of the places %q and %q", b.Sample, found, b.At, b.Blank)
	}
	return body
}

// shown returns a row as people see it.
func shown(said Row) Row {
	var row Row
	for _, text := range said {
		switch text {
		case "", Other:
			row = append(row, cmp.Or(text, "none"))
		default:
			row = append(row, "`"+text+"`")
		}
	}
	return row
}

// outcome returns what an event says of a refusal.
func outcome(e *event.Event) Row {
	return Row{"`" + string(e.Type) + "`", string(e.Bounce.Type), cmp.Or(e.Bounce.Category, string(e.Reject.Reason))}
}

// checkFunctions tests that each text in the functions is one of a row.
func (b *Bounces) checkFunctions(t *testing.T) {
	t.Helper()
	missing := slices.Clone(b.Functions)
	eachFile(t, func(_ *token.FileSet, file *ast.File) {
		for _, d := range file.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok || !slices.Contains(b.Functions, function.Name.Name) {
				continue
			}
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == function.Name.Name })
			for _, text := range textsIn(function) {
				if !b.has(text) {
					t.Errorf("%s knows %q, and no row of the table does", function.Name.Name, text)
				}
			}
		}
	})
	if len(missing) > 0 {
		t.Errorf("the package has no functions %q", missing)
	}
}

func textsIn(function *ast.FuncDecl) []string {
	var texts []string
	ast.Inspect(function, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && text != "" {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

// has reports whether a row has a text, in whatever letter case and with whatever between its words.
func (b *Bounces) has(text string) bool {
	plain := []byte(wire.EventName(text))
	return slices.ContainsFunc(b.Rows, func(said Row) bool {
		return slices.ContainsFunc(said, func(cell string) bool {
			return bytes.Contains([]byte(wire.EventName(cell)), plain) || strings.Contains(strings.ToLower(cell), text)
		})
	})
}
