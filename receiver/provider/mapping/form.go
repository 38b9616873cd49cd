package mapping

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// ContentType is the header by which a form is told from JSON. It must be kept with what cannot be decoded: see
// [provider.Kind.DecodeHeaders].
const ContentType = "Content-Type"

var (
	errFormItems    = errors.New("items: a form is one event; leave items out")
	errFormBoundary = errors.New("a multipart body must begin with the boundary that its Content-Type names")
)

// rawFormBegins is how what an event keeps of a form begins; see [form.Form.Raw].
const rawFormBegins = `{"mediaType":"`

// formOf reads a body that is a form, and reports whether it is one. Most signatures do not cover Content-Type: so what begins like JSON is
// JSON whatever it says, and a multipart body has no other boundary than the one that it begins with.
func formOf(r *provider.Request) (f form.Form, is bool, err error) {
	body := wire.Trim(r.Body)
	if bytes.HasPrefix(body, []byte(rawFormBegins)) {
		f, err = form.Parse("", body)
		return f, err == nil, nil
	}
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return f, false, nil
	}
	mediaType, parameters, _ := mime.ParseMediaType(r.Header.Get(ContentType))
	switch mediaType {
	case form.URLEncoded:
	case form.Multipart:
		if !bytes.HasPrefix(r.Body, []byte("--"+parameters["boundary"]+"\r\n")) {
			return f, true, errFormBoundary
		}
	default:
		return f, false, nil
	}
	f, err = form.Parse(r.Header.Get(ContentType), r.Body)
	return f, true, err
}

// form reads a form, which is one event, as the object of its fields.
func (b *batch) form(f *form.Form) error {
	if len(b.mapping.path) > 0 {
		return errFormItems
	}
	object, err := json.Marshal(members(f), json.Deterministic(true))
	if err != nil {
		return errors.New("the form cannot be read")
	}
	return wire.Single(object, func(item wire.Item) error {
		item.Raw = f.Raw()
		return b.add(&item)
	})
}

// members returns the fields of a form by their names: a text, or a list of them where there are several of one name. What is a file, or
// no text, is an object.
func members(f *form.Form) map[string]any {
	object := make(map[string]any, len(f.Fields))
	for i := range f.Fields {
		field := &f.Fields[i]
		var value any = string(field.Value)
		if field.File != "" || !utf8.Valid(field.Value) {
			value = map[string]any{"file": valid(field.File), "mediaType": valid(field.MediaType), "base64": field.Value}
		}
		switch before := object[valid(field.Name)].(type) {
		case nil:
			object[valid(field.Name)] = value
		case []any:
			object[valid(field.Name)] = append(before, value)
		default:
			object[valid(field.Name)] = []any{before, value}
		}
	}
	return object
}

func valid(text string) string { return strings.ToValidUTF8(text, string(utf8.RuneError)) }

// readHeaders returns the headers that the rules read.
func (m *Mapping) readHeaders(h http.Header) map[string]string {
	read := map[string]string{}
	for _, name := range m.headers {
		if value := h.Get(name); value != "" {
			read[name] = value
		}
	}
	return read
}
