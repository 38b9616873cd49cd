package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

// api is the source of the API's types. It is read and not linked: it need not compile while parts of it are being written.
type api struct {
	types map[string]*ast.TypeSpec
	// constants are those of a type.
	constants map[string][]constant
}

// constant is a value of an enum. value is its literal.
type constant struct {
	name, value string
	at          token.Pos
}

func readAPI(root string) (*api, error) {
	files, err := filepath.Glob(filepath.Join(root, apiFolder, "*_types.go"))
	if err != nil {
		return nil, fmt.Errorf("list the API's files: %w", err)
	}
	a := &api{types: map[string]*ast.TypeSpec{}, constants: map[string][]constant{}}
	set := token.NewFileSet()
	for _, path := range files {
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read the API: %w", err)
		}
		for _, declaration := range file.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok {
				a.add(general)
			}
		}
	}
	return a, nil
}

func (a *api) add(declaration *ast.GenDecl) {
	for _, spec := range declaration.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			a.types[spec.Name.Name] = spec
		case *ast.ValueSpec:
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || len(spec.Values) != 1 {
				continue
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				a.constants[typ.Name] = append(a.constants[typ.Name], constant{spec.Names[0].Name, literal.Value, spec.Pos()})
			}
		}
	}
}

// jsonName returns the name of a field in JSON.
func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
	return name
}

// unwrap returns what a type is of, and what it is: "[]", "*", "map[string]" or the thing itself. The name is empty for what no setting is.
func unwrap(typ ast.Expr) (kind, name string) {
	switch t := typ.(type) {
	case *ast.ArrayType:
		kind, typ = "[]", t.Elt
	case *ast.StarExpr:
		kind, typ = "*", t.X
	case *ast.MapType:
		kind, typ = "map[string]", t.Value // as every map of the API is
	}
	if ident, ok := typ.(*ast.Ident); ok {
		name = ident.Name
	}
	return kind, name
}
