package filter

import (
	"fmt"
	_ "time/tzdata" // expressions name time zones, and a receiver's image has no zone files

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
)

// Language compiles expressions over given variables. Its functions on texts are bounded in what they build, a key of a map of texts that
// is not there reads as "", and what an evaluation costs is limited. It is safe for concurrent use.
type Language struct {
	env       *cel.Env
	rewriting *cel.StaticOptimizer
}

// NewLanguage returns a Language with options, such as the variables of its expressions.
func NewLanguage(options ...cel.EnvOption) (*Language, error) {
	options = append(append(textFunctions(), ext.Strings(), lookups(),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals())), options...)
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("build the language of expressions: %w", err)
	}
	rewriting, err := cel.NewStaticOptimizer(rewriter{})
	if err != nil {
		return nil, fmt.Errorf("build the language of expressions: %w", err)
	}
	return &Language{env: env, rewriting: rewriting}, nil
}

// Check parses an expression and checks its types. The error names the position and what is wrong.
func (l *Language) Check(expression string) (*cel.Ast, error) {
	if len(expression) > maxExpressionBytes {
		return nil, fmt.Errorf("must be at most %d bytes long", maxExpressionBytes)
	}
	ast, issues := l.env.Compile(expression)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("does not compile: %w", err)
	}
	return ast, nil
}

// Program makes of an expression that was checked what evaluates it.
func (l *Language) Program(ast *cel.Ast) (cel.Program, error) {
	rewritten, issues := l.rewriting.Optimize(l.env, ast)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("does not compile: %w", err)
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if !cheap(rewritten.NativeRep()) {
		options = append(options, counted()...)
	}
	program, err := l.env.Program(rewritten, options...)
	if err != nil {
		return nil, fmt.Errorf("does not compile: %w", err)
	}
	return program, nil
}
