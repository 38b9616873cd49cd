package filter

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

var (
	errLarge    = errors.New("it makes more JSON than an expression may")
	errNoJSON   = errors.New("it yields something that is no JSON")
	errNotNamed = errors.New("it names a member of an object by something that is no text")
)

// jsonWriter writes what an expression yields as JSON.
type jsonWriter struct {
	out []byte
	// raw is the one value of bytes that is JSON, and limit how many bytes out may have.
	raw   []byte
	limit int
}

func (w *jsonWriter) write(v ref.Val) error {
	if err := w.append(v); err != nil {
		return err
	}
	if len(w.out) > w.limit {
		return errLarge
	}
	return nil
}

func (w *jsonWriter) append(v ref.Val) error {
	switch v := v.(type) {
	case traits.Mapper:
		return w.object(v)
	case traits.Lister:
		return w.list(v)
	case types.String:
		return w.text(string(v))
	case types.Bytes:
		return w.bytes(v)
	case types.Timestamp:
		return w.text(v.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		return w.text(strconv.FormatFloat(v.Seconds(), 'f', -1, 64) + "s")
	}
	return w.scalar(v)
}

func (w *jsonWriter) scalar(v ref.Val) error {
	switch v := v.(type) {
	case types.Int:
		w.out = strconv.AppendInt(w.out, int64(v), 10)
	case types.Uint:
		w.out = strconv.AppendUint(w.out, uint64(v), 10)
	case types.Bool:
		w.out = strconv.AppendBool(w.out, bool(v))
	case types.Null:
		w.out = append(w.out, "null"...)
	case types.Double:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return errNoJSON
		}
		return w.native(float64(v))
	case *types.Err, *types.Unknown, *types.Type:
		return errNoJSON
	default: // a structure of the event
		return w.native(v.Value())
	}
	return nil
}

// text writes a text, with U+FFFD for what is not UTF-8.
func (w *jsonWriter) text(s string) (err error) {
	w.out, err = jsontext.AppendQuote(w.out, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return err
}

func (w *jsonWriter) bytes(b []byte) error {
	if len(b) > 0 && bytes.Equal(b, w.raw) {
		w.out = append(w.out, b...)
		return nil
	}
	return w.text(base64.StdEncoding.EncodeToString(b))
}

func (w *jsonWriter) native(v any) error {
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), jsontext.PreserveRawStrings(true))
	if err != nil {
		return errNoJSON
	}
	w.out = append(w.out, text...)
	return nil
}

func (w *jsonWriter) list(l traits.Lister) error {
	separator := byte('[')
	for it := l.Iterator(); it.HasNext() == types.True; separator = ',' {
		w.out = append(w.out, separator)
		if err := w.write(it.Next()); err != nil {
			return err
		}
	}
	if separator == '[' {
		w.out = append(w.out, '[')
	}
	w.out = append(w.out, ']')
	return nil
}

func (w *jsonWriter) object(m traits.Mapper) error {
	var names []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		name, ok := it.Next().(types.String)
		if !ok {
			return errNotNamed
		}
		names = append(names, string(name))
	}
	slices.Sort(names)
	w.out = append(w.out, '{')
	for i, name := range names {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.text(name); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if err := w.write(m.Get(types.String(name))); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}
