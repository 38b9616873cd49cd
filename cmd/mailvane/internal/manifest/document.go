package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kyaml "sigs.k8s.io/yaml"
)

// document is one YAML document of a file.
type document struct {
	file string
	// line is the line of the file in which the document begins, from 1.
	line int
	text []byte
	// root holds the lines of the fields; the values are read by the parser that Kubernetes uses.
	root yaml.Node
}

// split returns the documents of a file.
func split(file string, text []byte) []*document {
	var documents []*document
	current := &document{file: file, line: 1}
	line := 0
	for content := range bytes.Lines(text) {
		line++
		if isSeparator(content) {
			documents = append(documents, current)
			current = &document{file: file, line: line + 1}
			continue
		}
		current.text = append(current.text, content...)
	}
	return append(documents, current)
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

// parse reads the document. It returns nil for one that holds nothing but comments.
func (d *document) parse() (map[string]any, *Problem) {
	if err := yaml.Unmarshal(d.text, &d.root); err != nil {
		return nil, d.syntaxProblem(err)
	}
	if len(d.root.Content) == 0 {
		return nil, nil
	}
	data, err := kyaml.YAMLToJSON(d.text)
	if err != nil {
		return nil, d.syntaxProblem(err)
	}
	var object any
	if err := utiljson.Unmarshal(data, &object); err != nil {
		return nil, d.syntaxProblem(err)
	}
	switch object := object.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return object, nil
	default:
		return nil, &Problem{File: d.file, Line: d.line, Message: "this is not a Kubernetes object, which has apiVersion, kind and metadata"}
	}
}

// syntaxProblem takes the line out of the parser's message, which counts from the document's beginning.
func (d *document) syntaxProblem(err error) *Problem {
	problem := &Problem{File: d.file, Line: d.line, Message: "not valid YAML: " + err.Error()}
	parts := regexp.MustCompile(`^yaml: line (\d+): ([^\n]*)`).FindStringSubmatch(err.Error())
	if parts == nil {
		return problem
	}
	if line, err := strconv.Atoi(parts[1]); err == nil {
		problem.Line = d.line + line - 1
	}
	problem.Message = "not valid YAML: " + parts[2]
	if strings.Contains(parts[2], "found character that cannot start any token") {
		problem.Message += " (YAML is indented with spaces, not tabs)"
	}
	return problem
}

// begin returns the line of the first key of the document.
func (d *document) begin() int {
	if len(d.root.Content) == 0 {
		return d.line
	}
	return d.line + d.root.Content[0].Line - 1
}

// lineOf returns the line of a field, or of the nearest one around it that the document has.
func (d *document) lineOf(path string) int {
	line := d.begin()
	if len(d.root.Content) == 0 {
		return line
	}
	node := d.root.Content[0]
	for _, step := range regexp.MustCompile(`[^.\[\]]+`).FindAllString(path, -1) {
		place, next := descend(node, step)
		if next == nil {
			break
		}
		node, line = next, d.line+place-1
	}
	return line
}

// descend returns the value of one field, or one item of a list, and the line of its key.
func descend(node *yaml.Node, step string) (line int, value *yaml.Node) {
	switch node.Kind { //nolint:exhaustive // The other kinds hold no fields.
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i].Line, node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i < len(node.Content) {
			return node.Content[i].Line, node.Content[i]
		}
	}
	return 0, nil
}

// repeatedKeys returns a problem for every key that a mapping has twice; parsers would take one of them without a word.
func (d *document) repeatedKeys(object string) []Problem {
	return d.repeatedIn(&d.root, object, "")
}

func (d *document) repeatedIn(node *yaml.Node, object, path string) []Problem {
	var problems []Problem
	if node.Kind != yaml.MappingNode {
		for i, item := range node.Content {
			itemPath := path
			if node.Kind == yaml.SequenceNode {
				itemPath = fmt.Sprintf("%s[%d]", path, i)
			}
			problems = append(problems, d.repeatedIn(item, object, itemPath)...)
		}
		return problems
	}
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field := strings.TrimPrefix(path+"."+key.Value, ".")
		if line, repeated := first[key.Value]; repeated {
			problems = append(problems, Problem{
				File: d.file, Line: d.line + key.Line - 1, Object: object, Field: field,
				Message: fmt.Sprintf("is written a second time; it is already on line %d", line),
			})
		} else {
			first[key.Value] = d.line + key.Line - 1
		}
		problems = append(problems, d.repeatedIn(node.Content[i+1], object, field)...)
	}
	return problems
}
