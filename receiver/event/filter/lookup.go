package filter

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// lookupFunction reads a key of a map or a position of a list of texts. No expression can name it.
const lookupFunction = "@lookup"

// lookups declares lookupFunction: what is not there is "", as every field is that a provider did not send. CEL's own index is an error then,
// and with it each event without that key would be.
func lookups() cel.EnvOption {
	return cel.Function(lookupFunction,
		cel.Overload("lookup_map_string", []*cel.Type{cel.MapType(cel.StringType, cel.StringType), cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(m, key ref.Val) ref.Val {
				if mapper, ok := m.(traits.Mapper); ok {
					if value, found := mapper.Find(key); found {
						return value
					}
				}
				return types.String("")
			})),
		cel.Overload("lookup_list_int", []*cel.Type{cel.ListType(cel.StringType), cel.IntType}, cel.StringType,
			cel.BinaryBinding(func(l, index ref.Val) ref.Val {
				list, ok := l.(traits.Lister)
				i, isInt := index.(types.Int)
				size, isSize := types.IntZero, false
				if ok {
					size, isSize = list.Size().(types.Int)
				}
				if !isInt || !isSize || i < 0 || i >= size {
					return types.String("")
				}
				return list.Get(index)
			})),
	)
}

// rewriter replaces what would fail or grow without bound by functions of this package.
type rewriter struct{}

// Optimize rewrites a checked expression.
func (rewriter) Optimize(ctx *cel.OptimizerContext, checked *ast.AST) *ast.AST {
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if updated := rewrite(ctx, checked, e); updated != nil {
			ctx.UpdateExpr(e, updated)
		}
	}))
	return checked
}

// rewrite returns what takes the place of e, or nil.
func rewrite(ctx *cel.OptimizerContext, checked *ast.AST, e ast.Expr) ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() || !isTexts(checked.GetType(s.Operand().ID()), cel.StringType) {
			return nil
		}
		return ctx.NewCall(lookupFunction, s.Operand(), ctx.NewLiteral(types.String(s.FieldName())))
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() == operators.Index {
			if operand := c.Args()[0]; isTexts(checked.GetType(operand.ID()), checked.GetType(c.Args()[1].ID())) {
				return ctx.NewCall(lookupFunction, operand, c.Args()[1])
			}
			return nil
		}
		if c.FunctionName() == "format" && c.IsMemberFunction() {
			return ctx.NewMemberCall("format", c.Target(), ctx.NewCall(boundedList, c.Args()...))
		}
		if bounded, ok := boundedName[c.FunctionName()]; ok && c.IsMemberFunction() {
			return ctx.NewMemberCall(bounded, c.Target(), c.Args()...)
		}
	default:
	}
	return nil
}

// isTexts reports whether t is a map or list of texts that is read by a key of the given type.
func isTexts(t, key *types.Type) bool {
	if t == nil || key == nil {
		return false
	}
	return t.IsExactType(cel.MapType(cel.StringType, cel.StringType)) && key.IsExactType(cel.StringType) ||
		t.IsExactType(cel.ListType(cel.StringType)) && key.IsExactType(cel.IntType)
}
