package form

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
)

// Encode returns the form as a body of its media type, and the Content-Type that goes with it: fields of the same names, values and order. Bytes are those
// of no sender, but the same for the same form: the boundary of a multipart follows from all that is in it.
func (f *Form) Encode() (body []byte, contentType string, err error) {
	if f.MediaType == Multipart {
		return f.encodeParts()
	}
	for i := range f.Fields {
		if i > 0 {
			body = append(body, '&')
		}
		body = append(body, url.QueryEscape(f.Fields[i].Name)+"="+url.QueryEscape(string(f.Fields[i].Value))...)
	}
	return body, URLEncoded, nil
}

func (f *Form) encodeParts() (body []byte, contentType string, err error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if err := w.SetBoundary(f.Identity()); err != nil {
		return nil, "", fmt.Errorf("encode a multipart: %w", err)
	}
	for i := range f.Fields {
		field := &f.Fields[i]
		header := textproto.MIMEHeader{"Content-Disposition": {field.disposition()}}
		if field.MediaType != "" {
			header["Content-Type"] = []string{oneLine.Replace(field.MediaType)}
		}
		part, err := w.CreatePart(header)
		if err == nil {
			_, err = part.Write(field.Value)
		}
		if err != nil {
			return nil, "", fmt.Errorf("encode a multipart: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("encode a multipart: %w", err)
	}
	return out.Bytes(), w.FormDataContentType(), nil
}

var (
	// oneLine and quoted keep a value within its line and its quotation marks.
	oneLine = strings.NewReplacer("\r", "%0D", "\n", "%0A")                       //nolint:gochecknoglobals // a constant
	quoted  = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "%0D", "\n", "%0A") //nolint:gochecknoglobals // a constant
)

// disposition is the Content-Disposition of a field (RFC 7578 section 4.2).
func (f *Field) disposition() string {
	text := `form-data; name="` + quoted.Replace(f.Name) + `"`
	if f.File != "" {
		text += `; filename="` + quoted.Replace(f.File) + `"`
	}
	return text
}
