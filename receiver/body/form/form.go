// Package form reads the forms that providers post: application/x-www-form-urlencoded (WHATWG URL section 5) and
// multipart/form-data (RFC 7578). The order of the fields, and fields of one name, stay as they were sent.
package form

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
)

// The media types of forms.
const (
	URLEncoded = "application/x-www-form-urlencoded"
	Multipart  = "multipart/form-data"
)

// maxFields is how many fields a form may have: the largest documented has some 30, and attachments add one each.
const maxFields = 1000

// Field is a field of a form.
type Field struct {
	// Name is the field's name.
	Name string
	// Value is what was sent, decoded. It aliases nothing.
	Value []byte
	// File is the name of the file, and MediaType the Content-Type, where a part of a multipart says so.
	File, MediaType string
}

// Form is what a body holds.
type Form struct {
	// MediaType is [URLEncoded] or [Multipart].
	MediaType string
	// Fields are the fields in the order of the body.
	Fields []Field
}

var (
	errKind     = errors.New("expected a form")
	errEncoding = errors.New("the form is not percent-encoded as it should be")
	errParts    = errors.New("the multipart body is malformed, or ends early")
	errMany     = fmt.Errorf("more than %d fields in one form", maxFields)
)

// Parse reads a body with its Content-Type, or what [Form.Raw] made of one, which is told by its first byte: no form begins with a
// brace. Errors hold nothing of the content.
func Parse(contentType string, body []byte) (Form, error) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		return parseRaw(trimmed)
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return Form{}, errKind
	}
	switch mediaType {
	case URLEncoded:
		return parseURLEncoded(body)
	case Multipart:
		return parseMultipart(body, parameters["boundary"])
	default:
		return Form{}, errKind
	}
}

func parseURLEncoded(body []byte) (Form, error) {
	f := Form{MediaType: URLEncoded}
	for pair := range bytes.SplitSeq(body, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		if len(f.Fields) == maxFields {
			return f, errMany
		}
		name, value, _ := strings.Cut(string(pair), "=")
		decodedName, err := url.QueryUnescape(name)
		if err != nil {
			return f, errEncoding
		}
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			return f, errEncoding
		}
		f.Fields = append(f.Fields, Field{Name: decodedName, Value: []byte(decoded)})
	}
	return f, nil
}

// maxBoundary is the longest boundary (RFC 2046 section 5.1.1).
const maxBoundary = 70

func parseMultipart(body []byte, boundary string) (Form, error) {
	f := Form{MediaType: Multipart}
	if boundary == "" || len(boundary) > maxBoundary {
		return f, errParts
	}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF && ended(body, boundary) { //nolint:errorlint // one that is wrapped says that the body ends early
			return f, nil
		}
		if err != nil {
			return f, errParts
		}
		if len(f.Fields) == maxFields {
			return f, errMany
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return f, errParts
		}
		f.Fields = append(f.Fields, Field{Name: part.FormName(), Value: value, File: part.FileName(), MediaType: part.Header.Get("Content-Type")})
	}
}

// ended reports whether a body has the line that ends a multipart (RFC 2046 section 5.1.1). The reader of parts takes one that is cut off
// behind a line of a part's headers for a whole one.
func ended(body []byte, boundary string) bool {
	last := []byte("--" + boundary + "--")
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		if rest, ok := bytes.CutPrefix(line, last); ok && len(bytes.TrimRight(rest, " \t\r")) == 0 {
			return true
		}
	}
	return false
}

// Get returns the value of the one field of a name. It fails when there is none and when there are several: nobody knows which counts.
func (f *Form) Get(name string) ([]byte, error) {
	var found *Field
	for i := range f.Fields {
		if f.Fields[i].Name != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("the field %s occurs twice", name)
		}
		found = &f.Fields[i]
	}
	if found == nil {
		return nil, fmt.Errorf("the field %s is missing", name)
	}
	return found.Value, nil
}

// All returns the values of the fields of a name, in their order.
func (f *Form) All(name string) [][]byte {
	var values [][]byte
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			values = append(values, f.Fields[i].Value)
		}
	}
	return values
}

// Identity returns an id that rests on everything that the form says, without the fields that are left out: names, values, files and
// media types. It is the same for any order of names, boundary and encoding. Fields of one name keep their order.
func (f *Form) Identity(without ...string) string {
	sorted := slices.Clone(f.Fields)
	slices.SortStableFunc(sorted, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	id := event.NewIDHash()
	for i := range sorted {
		field := &sorted[i]
		if slices.Contains(without, field.Name) {
			continue
		}
		for _, text := range []string{field.Name, field.File, field.MediaType} {
			id.AddText(valid(text)) // as it is kept
		}
		id.Add(field.Value)
	}
	return id.ID()
}

// valid returns a text with U+FFFD for what is not UTF-8.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// rawForm is what an event keeps of a form.
type rawForm struct {
	MediaType string     `json:"mediaType"`
	Fields    []rawField `json:"fields"`
}

type rawField struct {
	Name string `json:"name"`
	// Value is a text, Base64 what is none in UTF-8.
	Value     string `json:"value,omitzero"`
	Base64    []byte `json:"base64,omitzero"`
	File      string `json:"file,omitzero"`
	MediaType string `json:"mediaType,omitzero"`
}

// Raw returns what an event keeps of a form: {"mediaType", "fields"}, without the fields that are left out.
func (f *Form) Raw(without ...string) jsontext.Value {
	raw := rawForm{MediaType: f.MediaType, Fields: []rawField{}}
	for i := range f.Fields {
		field := &f.Fields[i]
		if slices.Contains(without, field.Name) {
			continue
		}
		kept := rawField{Name: valid(field.Name), File: valid(field.File), MediaType: valid(field.MediaType)}
		if utf8.Valid(field.Value) {
			kept.Value = string(field.Value)
		} else {
			kept.Base64 = field.Value
		}
		raw.Fields = append(raw.Fields, kept)
	}
	encoded, _ := json.Marshal(raw) // every text in it is UTF-8
	return encoded
}

func parseRaw(body []byte) (Form, error) {
	var raw rawForm
	if json.Unmarshal(body, &raw) != nil || raw.MediaType != URLEncoded && raw.MediaType != Multipart {
		return Form{}, errKind
	}
	f := Form{MediaType: raw.MediaType}
	for _, r := range raw.Fields {
		value := r.Base64
		if len(value) == 0 {
			value = []byte(r.Value)
		}
		f.Fields = append(f.Fields, Field{Name: r.Name, Value: value, File: r.File, MediaType: r.MediaType})
	}
	return f, nil
}
