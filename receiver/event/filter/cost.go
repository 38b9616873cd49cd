package filter

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

const (
	// maxText bounds the text that replace, join and format build, in bytes, and maxParts the parts that split makes: CEL counts what a call has cost
	// only after it, and one call multiplies two texts that a provider may fill.
	maxText  = 1 << 20
	maxParts = 10_000

	// charactersPerUnit is how many characters CEL scans for a unit of cost.
	charactersPerUnit = 10

	// boundedList returns a list whose texts have at most maxText bytes in all, for format.
	boundedList = "@bounded"
)

// boundedName maps a function of CEL's string extension to the one of this package that does the same within bounds.
var boundedName = map[string]string{"replace": "@replace", "join": "@join", "split": "@split"} //nolint:gochecknoglobals // a table

// cheapFunctions cost no more than reading what they are given, and build nothing larger.
var cheapFunctions = map[string]bool{ //nolint:gochecknoglobals // a table
	operators.Conditional: true, operators.LogicalAnd: true, operators.LogicalOr: true, operators.LogicalNot: true,
	operators.Equals: true, operators.NotEquals: true, operators.In: true, operators.Index: true, operators.Negate: true,
	operators.Less: true, operators.LessEquals: true, operators.Greater: true, operators.GreaterEquals: true,
	operators.Subtract: true, operators.Multiply: true, operators.Divide: true, operators.Modulo: true,
	lookupFunction: true, "size": true, "startsWith": true, "endsWith": true, "contains": true, "matches": true,
	"indexOf": true, "lastIndexOf": true, "charAt": true, "substring": true, "trim": true, "lowerAscii": true, "upperAscii": true,
	"timestamp": true, "duration": true, "int": true, "uint": true, "double": true, "bool": true, "string": true,
	"getFullYear": true, "getMonth": true, "getDate": true, "getDayOfMonth": true, "getDayOfYear": true, "getDayOfWeek": true,
	"getHours": true, "getMinutes": true, "getSeconds": true, "getMilliseconds": true,
}

// cheap reports whether an expression's cost is bounded by its own length and that of the event: it has no macro such as exists
// or all, and nothing that builds text. For all others the cost is counted, which more than doubles it.
func cheap(a *ast.AST) bool {
	ok := true
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			ok = false
		case ast.CallKind:
			ok = ok && cheapFunctions[e.AsCall().FunctionName()]
		default:
		}
	}))
	return ok
}

// textFunctions declares the functions of boundedName, and boundedList.
func textFunctions() []cel.EnvOption {
	text, texts, number := cel.StringType, cel.ListType(cel.StringType), cel.IntType
	anything := cel.ListType(cel.DynType)
	return []cel.EnvOption{
		cel.Function(boundedList, cel.Overload("bounded_list", []*cel.Type{anything}, anything, cel.UnaryBinding(bounded))),
		cel.Function("@replace",
			cel.MemberOverload("bounded_replace", []*cel.Type{text, text, text}, text, cel.FunctionBinding(replace)),
			cel.MemberOverload("bounded_replace_int", []*cel.Type{text, text, text, number}, text, cel.FunctionBinding(replace))),
		cel.Function("@join",
			cel.MemberOverload("bounded_join", []*cel.Type{texts}, text, cel.UnaryBinding(func(l ref.Val) ref.Val { return join(l) })),
			cel.MemberOverload("bounded_join_string", []*cel.Type{texts, text}, text, cel.FunctionBinding(join))),
		cel.Function("@split",
			cel.MemberOverload("bounded_split", []*cel.Type{text, text}, texts, cel.FunctionBinding(split)),
			cel.MemberOverload("bounded_split_int", []*cel.Type{text, text, number}, texts, cel.FunctionBinding(split))),
	}
}

func replace(args ...ref.Val) ref.Val {
	s, old, by, limit := str(args[0]), str(args[1]), str(args[2]), optional(args, 3)
	n := strings.Count(s, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	if grown := len(by) - len(old); grown > 0 && n > 0 && len(s)/n+grown > maxText/n {
		return tooLarge("replace", maxText, "bytes")
	}
	return types.String(strings.Replace(s, old, by, limit))
}

func join(args ...ref.Val) ref.Val {
	separator := ""
	if len(args) > 1 {
		separator = str(args[1])
	}
	list, ok := args[0].(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	var parts []string
	size := 0
	for it := list.Iterator(); it.HasNext() == types.True; {
		part := str(it.Next())
		if size += len(part) + len(separator); size > maxText {
			return tooLarge("join", maxText, "bytes")
		}
		parts = append(parts, part)
	}
	return types.String(strings.Join(parts, separator))
}

func split(args ...ref.Val) ref.Val {
	s, separator, limit := str(args[0]), str(args[1]), optional(args, 2)
	n := strings.Count(s, separator) + 1
	if limit >= 0 {
		n = min(n, limit)
	}
	if n > maxParts {
		return tooLarge("split", maxParts, "parts")
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.SplitN(s, separator, limit))
}

func bounded(list ref.Val) ref.Val {
	if textIn(list, maxText) < 0 {
		return tooLarge("format", maxText, "bytes")
	}
	return list
}

// textIn returns what v leaves of so many bytes; below 0 it counts no further.
func textIn(v ref.Val, left int) int {
	switch v := v.(type) {
	case types.String:
		return left - len(v)
	case types.Bytes:
		return left - len(v)
	case traits.Iterable: // a list, or a map, whose keys it gives
		values, isMap := v.(traits.Mapper)
		for it := v.Iterator(); left >= 0 && it.HasNext() == types.True; {
			next := it.Next()
			left = textIn(next, left-1)
			if isMap {
				left = textIn(values.Get(next), left)
			}
		}
	}
	return left
}

// counted returns the options of a program whose cost is counted, that of textFunctions by what they read and build.
func counted() []cel.ProgramOption {
	cost := func(args []ref.Val, result ref.Val) *uint64 {
		units := uint64(maxText-textIn(args[0], maxText)+maxText-textIn(result, maxText))/charactersPerUnit + 1
		return &units
	}
	var trackers []interpreter.CostTrackerOption
	for _, overload := range []string{"bounded_replace", "bounded_replace_int", "bounded_join", "bounded_join_string", "bounded_split", "bounded_split_int"} {
		trackers = append(trackers, interpreter.OverloadCostTracker(overload, cost))
	}
	return []cel.ProgramOption{cel.CostTrackerOptions(trackers...), cel.CostLimit(costLimit)}
}

// optional returns the number at position i of args, or -1, which means no limit to the functions of package strings as it does to CEL's.
func optional(args []ref.Val, i int) int {
	if len(args) <= i {
		return -1
	}
	n, ok := args[i].(types.Int)
	if !ok {
		return -1
	}
	return int(max(-1, min(n, maxText)))
}

func str(v ref.Val) string {
	s, _ := v.(types.String) // the types were checked
	return string(s)
}

func tooLarge(function string, bound int, of string) ref.Val {
	return types.WrapErr(fmt.Errorf("%s would make more than %d %s of it", function, bound, of))
}
