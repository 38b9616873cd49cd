package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/mailvane/mailvane/receiver/event/filter"
)

var errDisputed = errors.New("a member that it reads occurs twice, with different values")

// parse returns JSON that was found to be valid as expressions see it. A member that is null is not there; whole numbers keep every digit,
// as texts where no number has as many; of a name that occurs twice with different values, reading it is an error.
func parse(text []byte) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return value(dec)
}

func value(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, errors.New("invalid JSON")
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		return object(dec)
	case jsontext.KindBeginArray:
		list := []any{}
		for dec.PeekKind() != jsontext.KindEndArray {
			element, err := value(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err := dec.ReadToken()
		return list, err
	case jsontext.KindString:
		return clean(token.String()), nil
	case jsontext.KindNumber:
		return number(token.String()), nil
	case jsontext.KindNull:
		return types.NullValue, nil
	default:
		return token.Bool(), nil
	}
}

func object(dec *jsontext.Decoder) (any, error) {
	members := map[string]any{}
	for dec.PeekKind() != jsontext.KindEndObject {
		token, err := dec.ReadToken()
		if err != nil {
			return nil, errors.New("invalid JSON")
		}
		name := clean(token.String())
		member, err := value(dec)
		if err != nil {
			return nil, err
		}
		if before, repeated := members[name]; repeated && !reflect.DeepEqual(before, member) {
			member = types.WrapErr(errDisputed)
		}
		members[name] = member
	}
	for name, member := range members {
		if member == types.NullValue {
			delete(members, name)
		}
	}
	_, err := dec.ReadToken()
	return members, err
}

// clean replaces NUL, which databases that hold text cannot hold, as package wire does.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, string(utf8.RuneError)), "\x00", string(utf8.RuneError))
}

func number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return f
	}
	return text
}

// at returns what stands at a path, and its only element where that is a list.
func at(body any, path []string) any {
	for _, name := range path {
		members, _ := body.(map[string]any)
		body = members[name]
	}
	if list, ok := body.([]any); ok && len(list) == 1 && len(path) > 0 {
		return list[0]
	}
	return body
}

// view is what expressions see of one event.
type view struct {
	item, body any
	headers    map[string]string
}

// ResolveName returns the value of a variable.
func (v *view) ResolveName(name string) (any, bool) {
	switch name {
	case itemVariable:
		return v.item, true
	case bodyVariable:
		return v.body, true
	case headersVariable:
		return v.headers, true
	default:
		return nil, false
	}
}

// Parent returns nil: there is nothing beyond the variables.
func (*view) Parent() cel.Activation { return nil }

// eval returns what an expression yields; nil when that is nothing, because it reads what is not there. Its errors hold nothing of what it
// read.
func (x *expression) eval(v *view) (ref.Val, error) {
	if x == nil {
		return nil, nil
	}
	out, _, err := x.program.Eval(v)
	switch {
	case err == nil && out != types.NullValue:
		return out, nil
	case err == nil || isAbsent(err.Error()):
		return nil, nil
	case errors.Is(err, errDisputed):
		return nil, fmt.Errorf("%s: %w", x.rule, errDisputed)
	default:
		return nil, fmt.Errorf("%s: %s", x.rule, filter.Problem(err.Error()))
	}
}

// isAbsent reports whether an evaluation ended because a member, or a place of a list, is not there.
func isAbsent(message string) bool {
	for _, begins := range []string{"no such key", "no such attribute", "index out of", "unsupported index"} {
		if strings.HasPrefix(message, begins) {
			return true
		}
	}
	return false
}

// text returns what an expression yields as text; "" when that is nothing. A list or an object is none.
func (x *expression) text(v *view) (string, error) {
	out, err := x.eval(v)
	if out == nil || err != nil {
		return "", err
	}
	text, ok := textOf(out)
	if !ok {
		return "", fmt.Errorf("%s: must yield a text or a number", x.rule)
	}
	return text, nil
}

func textOf(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case types.String:
		return string(v), true
	case types.Int:
		return strconv.FormatInt(int64(v), 10), true
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), true
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64), true
	case types.Bool:
		return strconv.FormatBool(bool(v)), true
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339Nano), true
	case types.Null:
		return "", true
	default:
		return "", false
	}
}

// listOf returns the texts of a list, or of one scalar in place of it. Elements that are no scalars are left out.
func listOf(v ref.Val) []string {
	if text, ok := textOf(v); ok {
		return slices.DeleteFunc([]string{text}, func(s string) bool { return s == "" })
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return nil
	}
	var texts []string
	for it := list.Iterator(); it.HasNext() == types.True; {
		if text, ok := textOf(it.Next()); ok && text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// marshalers write what parse has made of JSON as JSON again.
func marshalers() *json.Marshalers {
	return json.JoinMarshalers(
		json.MarshalToFunc(func(*jsontext.Encoder, *types.Err) error { return errDisputed }),
		json.MarshalToFunc(func(e *jsontext.Encoder, _ types.Null) error { return e.WriteToken(jsontext.Null) }),
	)
}

// membersOf returns the members of an object: with the text of a scalar, and with the JSON of a list or an object. What is no object has
// none. Reading one that is disputed is an error.
func membersOf(v ref.Val) (map[string]string, error) {
	object, ok := v.(traits.Mapper)
	if !ok {
		return nil, nil
	}
	members := map[string]string{}
	for it := object.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := textOf(key)
		if !ok {
			continue
		}
		member := object.Get(key)
		if types.IsError(member) {
			return nil, errDisputed
		}
		if members[name], ok = textOf(member); ok {
			continue
		}
		encoded, err := json.Marshal(member.Value(), json.Deterministic(true), json.WithMarshalers(marshalers()))
		if err != nil {
			return nil, errDisputed
		}
		members[name] = string(encoded)
	}
	return members, nil
}
