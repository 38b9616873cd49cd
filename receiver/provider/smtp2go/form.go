package smtp2go

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// keptForm is how what an event keeps of a form begins.
const keptForm = `{"mediaType":"` + form.URLEncoded + `"`

// read returns the JSON of a request, and the form that it was made of where it is one: which of the two a webhook posts is chosen where it
// is made.
func read(r *provider.Request) (body []byte, f *form.Form, err error) {
	start := string(wire.Trim(r.Body[:min(len(r.Body), len(keptForm)+len("\ufeff"))]))
	isForm := start != "" && start[0] != '{' && strings.HasPrefix(strings.ToLower(r.Header.Get(contentType)), form.URLEncoded)
	if !isForm && !strings.HasPrefix(start, keptForm) {
		return r.Body, nil, nil
	}
	parsed, err := form.Parse(r.Header.Get(contentType), r.Body)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it says all that there is to say
	}
	return object(&parsed), &parsed, nil
}

// object returns a form as the object that SMTP2GO would post in its place, in which the recipients of a message are a list.
func object(f *form.Form) []byte {
	var out, recipients []string
	for i := range f.Fields {
		field := &f.Fields[i]
		value := wire.Quote(string(field.Value))
		if strings.TrimSuffix(field.Name, "[]") == recipientsName {
			recipients = append(recipients, value)
			continue
		}
		out = append(out, wire.Quote(field.Name)+":"+value)
	}
	switch len(recipients) {
	case 0:
	case 1: // which may be a list in a text
		out = append(out, wire.Quote(recipientsName)+":"+recipients[0])
	default:
		out = append(out, wire.Quote(recipientsName)+":["+strings.Join(recipients, ",")+"]")
	}
	return []byte("{" + strings.Join(out, ",") + "}")
}
