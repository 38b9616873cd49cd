// Package filter compiles and evaluates the CEL expressions that routes select events with.
// An expression sees one variable, "event": the normalized record, with event.type the short name.
package filter

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/ext"

	"github.com/mailvane/mailvane/receiver/event"
)

const (
	variable = "event"
	// maxExpressionBytes bounds the text of an expression; the API has the same bound.
	maxExpressionBytes = 4096
	// maxCompiled bounds the filters that are remembered.
	maxCompiled = 20_000
	// costLimit bounds one evaluation of an expression that loops or builds text, in CEL cost units (roughly one per operator or 10 characters scanned).
	costLimit = 100_000
)

// Evaluates begins the errors of an evaluation.
const Evaluates = "evaluate filter: "

// ErrNotBool says that an expression does not yield a bool.
var ErrNotBool = errors.New("must yield true or false")

// Compiler compiles expressions against the event type. It is safe for concurrent use.
type Compiler struct {
	language *Language

	mu sync.Mutex
	// compiled holds what was compiled before: one edit of a thousand endpoints compiles one filter.
	compiled map[string]*Filter
}

// Filter is a compiled expression. It is safe for concurrent use.
type Filter struct {
	program cel.Program
	// unverified says that the expression reads event.unverified.
	unverified bool
}

// events is the language of expressions over an event, those of filters and of templates.
var events = sync.OnceValues(func() (*Language, error) { //nolint:gochecknoglobals // made once, and never changed
	return NewLanguage(
		ext.NativeTypes(reflect.TypeFor[event.Event](), ext.ParseStructTag("json")),
		cel.Variable(variable, cel.ObjectType("event.Event")),
	)
})

// NewCompiler returns a Compiler.
func NewCompiler() (*Compiler, error) {
	language, err := events()
	if err != nil {
		return nil, err
	}
	return &Compiler{language: language, compiled: map[string]*Filter{}}, nil
}

// Compile parses and type-checks an expression. The error names the position and what is wrong.
func (c *Compiler) Compile(expression string) (*Filter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.compiled[expression]; ok {
		return f, nil
	}
	f, err := c.compile(expression)
	if err != nil {
		return nil, err
	}
	if len(c.compiled) >= maxCompiled {
		clear(c.compiled) // what is still in use will be compiled once more
	}
	c.compiled[expression] = f
	return f, nil
}

func (c *Compiler) compile(expression string) (*Filter, error) {
	ast, err := c.typed(expression)
	if err != nil {
		return nil, err
	}
	program, err := c.language.Program(ast)
	if err != nil {
		return nil, err
	}
	return &Filter{program: program, unverified: reads(ast, "unverified")}, nil
}

// typed parses an expression and checks its types.
func (c *Compiler) typed(expression string) (*cel.Ast, error) {
	ast, err := c.language.Check(expression)
	if err != nil {
		return nil, err
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("yields %s: %w", ast.OutputType(), ErrNotBool)
	}
	return ast, nil
}

// reads reports whether an expression mentions a field of the event.
func reads(ast *cel.Ast, field string) bool {
	return len(celast.MatchDescendants(celast.NavigateAST(ast.NativeRep()), func(e celast.NavigableExpr) bool {
		if e.Kind() != celast.SelectKind || e.AsSelect().FieldName() != field {
			return false
		}
		of := e.AsSelect().Operand()
		return of.Kind() == celast.IdentKind && of.AsIdent() == variable
	})) > 0
}

// AsksForUnverified reports whether the expression reads event.unverified, without which it is about events that are genuine.
func (f *Filter) AsksForUnverified() bool { return f.unverified }

// activation is what an expression sees. A map in its place would be most of what an evaluation allocates.
type activation struct{ event *event.Event }

// ResolveName returns the value of a variable.
func (a activation) ResolveName(name string) (any, bool) { return a.event, name == variable }

// Parent returns nil: there is nothing beyond the event.
func (activation) Parent() cel.Activation { return nil }

// Match reports whether the expression selects e. An error is the expression's own, such as a division by zero.
func (f *Filter) Match(e *event.Event) (bool, error) {
	out, _, err := f.program.Eval(activation{e})
	if err != nil {
		return false, fmt.Errorf(Evaluates+"%w", err)
	}
	selected, ok := out.Value().(bool)
	if !ok {
		return false, ErrNotBool
	}
	return selected, nil
}
