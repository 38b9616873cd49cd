package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tree is what was counted.
type tree struct {
	files      []int // lines of each file
	functions  []function
	exported   int
	documented int
	interfaces []int // methods of each interface
	folders    map[string]*folder
	beside     int // lines of tests, suites and harnesses that are in no folder of the product
}

// function is one function of the product.
type function struct {
	name       string
	lines      int
	nesting    int
	cyclomatic int
	parameters int
}

// folder is one package of the product.
type folder struct{ product, tests int }

// roots are where the product is; suites end so, and harnesses are below these.
func roots() []string { return []string{"receiver", "controllers", "cmd", "api", "config", "internal"} }

func isSuite(path string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(path)), "/") {
		if part != "test" && strings.HasSuffix(part, "test") {
			return true
		}
	}
	return false
}

func read(root string) (*tree, error) {
	t := &tree{folders: map[string]*folder{}}
	for _, top := range append(roots(), "test", "charts") {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			return t.file(path, relative)
		})
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return t, nil
}

// file counts one file.
func (t *tree) file(path, relative string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bytes.Count(source, []byte{'\n'})
	name := filepath.ToSlash(filepath.Dir(relative))
	isProduct := slices.Contains(roots(), strings.SplitN(relative, "/", 2)[0]) && !isSuite(relative)
	switch isTest := strings.HasSuffix(relative, "_test.go"); {
	case !isProduct:
		t.beside += lines
		return nil
	case isTest:
		t.folder(name).tests += lines
		return nil
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, source, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	if ast.IsGenerated(parsed) {
		return nil
	}
	t.folder(name).product += lines
	t.files = append(t.files, lines)
	for _, d := range parsed.Decls {
		t.declaration(files, relative, d)
	}
	return nil
}

func (t *tree) folder(name string) *folder {
	if t.folders[name] == nil {
		t.folders[name] = &folder{}
	}
	return t.folders[name]
}

func (t *tree) declaration(files *token.FileSet, file string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		t.document(d.Name, d.Doc)
		if d.Body != nil {
			t.functions = append(t.functions, function{
				name:  file + ":" + d.Name.Name,
				lines: files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1, nesting: nesting(d.Body) - 1, cyclomatic: cyclomatic(d.Body), parameters: d.Type.Params.NumFields(),
			})
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			t.spec(spec, d.Doc)
		}
	}
}

func (t *tree) spec(spec ast.Spec, group *ast.CommentGroup) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		t.document(spec.Name, first(spec.Doc, group))
		if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > 0 {
			t.interfaces = append(t.interfaces, i.Methods.NumFields())
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			t.document(name, first(spec.Doc, group))
		}
	}
}

func first(comments ...*ast.CommentGroup) *ast.CommentGroup {
	for _, c := range comments {
		if c != nil {
			return c
		}
	}
	return nil
}

func (t *tree) document(name *ast.Ident, doc *ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	t.exported++
	if doc != nil {
		t.documented++
	}
}

// nesting returns how many blocks lie in one another.
func nesting(n ast.Node) int {
	deepest := 0
	ast.Inspect(n, func(inner ast.Node) bool {
		if inner == nil || inner == n {
			return true
		}
		switch inner := inner.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
			deepest = max(deepest, nesting(inner))
			return false
		case *ast.FuncLit:
			deepest = max(deepest, nesting(inner.Body)-1)
			return false
		}
		return true
	})
	return deepest + 1
}

// cyclomatic returns the number of ways through a body.
func cyclomatic(body ast.Node) int {
	ways := 1
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			ways++
		case *ast.CaseClause:
			if n.List != nil {
				ways++
			}
		case *ast.CommClause:
			if n.Comm != nil {
				ways++
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				ways++
			}
		}
		return true
	})
	return ways
}
