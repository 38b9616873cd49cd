package mapping

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/mailvane/mailvane/receiver/event/filter"
)

// The variables of an expression.
const (
	itemVariable    = "item"
	bodyVariable    = "body"
	headersVariable = "headers"
)

// language is the same for all mappings.
var language = sync.OnceValues(func() (*filter.Language, error) { //nolint:gochecknoglobals // made once, and never changed
	return filter.NewLanguage(
		cel.Variable(itemVariable, cel.DynType), cel.Variable(bodyVariable, cel.DynType),
		cel.Variable(headersVariable, cel.MapType(cel.StringType, cel.StringType)),
	)
})

// compiler compiles the expressions of one mapping, and collects what is wrong with them.
type compiler struct {
	language *filter.Language
	headers  map[string]bool
	problems []error
}

func newCompiler() (*compiler, error) {
	l, err := language()
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return &compiler{language: l, headers: map[string]bool{}}, nil
}

func (c *compiler) problem(rule, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(rule+": "+format, args...))
}

// expression is a compiled one.
type expression struct {
	// rule names it in errors.
	rule    string
	program cel.Program
	// constant is the text that it is, where it is a literal one.
	constant string
}

// optional compiles an expression, unless there is none.
func (c *compiler) optional(rule, text string) *expression {
	if text == "" {
		return nil
	}
	return c.expression(rule, text)
}

// expression compiles one. What is wrong with it is noted; then it must not be evaluated.
func (c *compiler) expression(rule, text string) *expression {
	x := &expression{rule: rule}
	checked, err := c.language.Check(text)
	if err == nil {
		c.readsHeaders(rule, checked.NativeRep())
		if e := checked.NativeRep().Expr(); e.Kind() == ast.LiteralKind {
			x.constant, _ = e.AsLiteral().Value().(string)
		}
		x.program, err = c.language.Program(checked)
	}
	if err != nil {
		c.problem(rule, "%w", err)
	}
	return x
}

// readsHeaders notes the headers that an expression names. It must name them, because those and no others are kept with what could not be
// decoded.
func (c *compiler) readsHeaders(rule string, checked *ast.AST) {
	mentioned, named := 0, 0
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if isHeaders(e) {
			mentioned++
		}
		if name, ok := headerOf(e); ok {
			named++
			c.headers[name] = true
			if name != strings.ToLower(name) {
				c.problem(rule, "headers are named in lower case, such as headers[%q]", strings.ToLower(name))
			}
		}
	}))
	if mentioned != named {
		c.problem(rule, `must name the header that it reads, such as headers["x-kind"]`)
	}
}

func isHeaders(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == headersVariable }

// headerOf returns the name of the header that an expression reads: headers.name, headers["name"] or "name" in headers.
func headerOf(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().FieldName(), isHeaders(e.AsSelect().Operand())
	case ast.CallKind:
	default:
		return "", false
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.Index:
	case operators.In:
		args = []ast.Expr{args[1], args[0]}
	default:
		return "", false
	}
	if !isHeaders(args[0]) || args[1].Kind() != ast.LiteralKind {
		return "", false
	}
	name, ok := args[1].AsLiteral().Value().(string)
	return name, ok
}
