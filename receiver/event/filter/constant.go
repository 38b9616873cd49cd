package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/mailvane/mailvane/receiver/event"
)

// closedLists returns the fields whose values are a closed list, by how an expression reads them.
func closedLists(providers []string) map[string][]string {
	names := make([]string, 0, len(event.Types()))
	for _, t := range event.Types() {
		names = append(names, string(t))
	}
	return map[string][]string{
		"event.type":          names,
		"event.provider":      providers,
		"event.bounce.type":   {string(event.Hard), string(event.Soft), string(event.Undetermined)},
		"event.reject.reason": event.RejectReasons(),
	}
}

// Check compiles an expression and refuses what is certainly a mistake: a comparison with a constant that the field never has, and a time
// zone that does not exist. It is for those who check manifests. A receiver only compiles: its vocabulary may be older than the filter.
// The providers are the values that event.provider may have; none = any.
func (c *Compiler) Check(expression string, providers []string) error {
	if _, err := c.Compile(expression); err != nil {
		return err
	}
	typed, err := c.typed(expression)
	if err != nil {
		return err
	}
	return checkConstants(typed, providers)
}

// checkConstants says which constants of an expression cannot be meant.
func checkConstants(typed *cel.Ast, providers []string) error {
	k := constants{closed: closedLists(providers), tree: typed.NativeRep()}
	ast.PostOrderVisit(k.tree.Expr(), ast.NewExprVisitor(k.visit))
	return errors.Join(k.problems...)
}

// constants looks for constants that cannot be meant.
type constants struct {
	closed   map[string][]string
	tree     *ast.AST
	problems []error
}

func (k *constants) add(format string, args ...any) {
	k.problems = append(k.problems, fmt.Errorf(format, args...))
}

func (k *constants) visit(e ast.Expr) {
	if e.Kind() != ast.CallKind {
		return
	}
	call := e.AsCall()
	switch name := call.FunctionName(); {
	case name == operators.Equals || name == operators.NotEquals:
		a, b := call.Args()[0], call.Args()[1]
		k.compared(a, b)
		k.compared(b, a)
	case name == operators.In && call.Args()[1].Kind() == ast.ListKind:
		for _, element := range call.Args()[1].AsList().Elements() {
			k.compared(call.Args()[0], element)
		}
	case call.IsMemberFunction() && len(call.Args()) == 1:
		k.member(name, call.Target(), call.Args()[0])
	}
}

// member looks at a function of one argument.
func (k *constants) member(name string, target, argument ast.Expr) {
	if strings.HasPrefix(name, "get") {
		k.zone(argument)
		return
	}
	k.part(name, target, argument)
}

// compared looks at a field that is compared for equality with a constant.
func (k *constants) compared(field, constant ast.Expr) {
	if constant.Kind() != ast.LiteralKind {
		return
	}
	path := pathOf(field)
	switch value := constant.AsLiteral().(type) {
	case types.Null:
		if path != "" {
			k.add("%s is never null: what was not sent is empty; compare with \"\", 0 or false, or use has()", path)
		}
	case types.String:
		k.value(path, string(value))
	case types.Int:
		if path == "event.smtpCode" && value != 0 && (value < event.MinSMTPCode || value > event.MaxSMTPCode) {
			k.add("event.smtpCode is never %d: it is 0 or %d to %d", value, event.MinSMTPCode, event.MaxSMTPCode)
		}
	}
}

// value looks at a text that a field is compared with.
func (k *constants) value(path, value string) {
	if known := k.closed[path]; len(known) > 0 && value != "" && !slices.Contains(known, value) {
		k.add("%s is never %q; %s", path, value, instead(value, known))
	}
}

// part looks at a test of a part of a field, such as its beginning.
func (k *constants) part(function string, field, constant ast.Expr) {
	tests := map[string]func(s, part string) bool{
		"startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix, "contains": strings.Contains,
	}
	test, known := tests[function], k.closed[pathOf(field)]
	if test == nil || len(known) == 0 || constant.Kind() != ast.LiteralKind {
		return
	}
	part, ok := constant.AsLiteral().(types.String)
	if ok && !slices.ContainsFunc(known, func(s string) bool { return test(s, string(part)) }) {
		k.add("%s.%s(%q) is never true; %s", pathOf(field), function, string(part), instead(string(part), known))
	}
}

// zone looks at a constant time zone: a name of the IANA database, or hours and minutes east of UTC.
func (k *constants) zone(constant ast.Expr) {
	if constant.Kind() != ast.LiteralKind {
		return
	}
	name, ok := constant.AsLiteral().(types.String)
	if !ok {
		return
	}
	if probe := (types.Timestamp{Time: time.Unix(0, 0)}).Receive("getHours", "timestamp_to_hours_with_tz", []ref.Val{name}); types.IsError(probe) {
		k.add("there is no time zone %q; write a name such as \"Europe/Berlin\" or an offset such as \"+02:00\"", string(name))
	}
}

// pathOf returns how an expression reads a field of the event, such as "event.bounce.type", or "".
func pathOf(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == variable {
			return variable
		}
	case ast.SelectKind:
		if s := e.AsSelect(); !s.IsTestOnly() {
			if operand := pathOf(s.Operand()); operand != "" {
				return operand + "." + s.FieldName()
			}
		}
	default:
	}
	return ""
}

// instead says which of the known values is meant.
func instead(value string, known []string) string {
	short := strings.TrimSuffix(strings.TrimPrefix(value, "dev.mailvane."), ".v1")
	for _, candidate := range known {
		if strings.EqualFold(candidate, short) || value != "" && strings.HasPrefix(candidate, value) {
			return fmt.Sprintf("did you mean %q?", candidate)
		}
	}
	return "it is one of " + strings.Join(known, ", ")
}
