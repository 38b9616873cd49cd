package filter

import (
	"errors"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/mailvane/mailvane/receiver/event"
)

// Template makes JSON of events, by an expression of the language of filters that yields an object or a list, such as
// {"email": event.recipient}. It is safe for concurrent use.
type Template struct{ program cel.Program }

// errNoObject says that an expression yields neither an object nor a list.
var errNoObject = errors.New(`must yield an object, such as {"email": event.recipient}, or a list`)

// NewTemplate parses an expression and checks its types. The error names the position and what is wrong.
func NewTemplate(expression string) (*Template, error) {
	ast, language, err := typedTemplate(expression)
	if err != nil {
		return nil, err
	}
	program, err := language.Program(ast)
	if err != nil {
		return nil, err
	}
	return &Template{program}, nil
}

// CheckTemplate refuses what [NewTemplate] does, and what is certainly a mistake, as [Compiler.Check] does of filters.
func CheckTemplate(expression string, providers []string) error {
	if _, err := NewTemplate(expression); err != nil {
		return err
	}
	ast, _, err := typedTemplate(expression)
	if err != nil {
		return err
	}
	return checkConstants(ast, providers)
}

func typedTemplate(expression string) (*cel.Ast, *Language, error) {
	language, err := events()
	if err != nil {
		return nil, nil, err
	}
	ast, err := language.Check(expression)
	if err != nil {
		return nil, nil, err
	}
	switch t := ast.OutputType(); t.Kind() {
	case types.ListKind, types.DynKind:
	case types.MapKind:
		if key := t.Parameters()[0]; key.Kind() != types.StringKind && key.Kind() != types.DynKind {
			return nil, nil, errors.New("must name the members of an object by texts")
		}
	default:
		return nil, nil, errNoObject
	}
	return ast, language, nil
}

// Build returns the JSON of an event: the same bytes each time, on one line, with the members of objects by their names in order. Texts, numbers, lists
// and objects are what they are; times are texts (RFC 3339), and so are bytes, in base64, but for event.raw, which is the JSON that it holds. What is
// made has 1 MiB at most beside the raw payload. An error says what kind of mistake the expression makes, and nothing of the event.
func (t *Template) Build(e *event.Event) ([]byte, error) {
	out, _, err := t.program.Eval(activation{e})
	if err != nil {
		return nil, errors.New(Problem(err.Error()))
	}
	w := jsonWriter{raw: e.Raw, limit: maxText + len(e.Raw)}
	if err := w.write(out); err != nil {
		return nil, err
	}
	if w.out[0] != '{' && w.out[0] != '[' {
		return nil, errNoObject
	}
	return w.out, nil
}
