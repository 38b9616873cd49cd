package postal

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// keptForm is how what an event keeps of a form begins.
const keptForm = `{"mediaType":"` + form.URLEncoded + `"`

// read returns the JSON of a request, and the form that it was made of where it is one.
func read(r *provider.Request) (body []byte, f *form.Form, err error) {
	trimmed := string(wire.Trim(r.Body[:min(len(r.Body), len(keptForm)+len("\ufeff"))]))
	isForm := trimmed != "" && trimmed[0] != '{' && strings.HasPrefix(r.Header.Get("Content-Type"), form.URLEncoded)
	if !isForm && !strings.HasPrefix(trimmed, keptForm) {
		return r.Body, nil, nil
	}
	parsed, err := form.Parse(r.Header.Get("Content-Type"), r.Body)
	if err != nil {
		return nil, &parsed, err //nolint:wrapcheck // it says all that there is to say
	}
	return object(&parsed), &parsed, nil
}

// object returns a form as the object that Postal would post in its place: attachments[0][filename] is a member of the first of a list.
func object(f *form.Form) []byte {
	var out []string
	var files [][]string
	list := map[string]int{}
	for _, field := range f.Fields {
		value := wire.Quote(string(field.Value))
		place, member, isFile := attachment(field.Name)
		if !isFile {
			out = append(out, wire.Quote(field.Name)+":"+value)
			continue
		}
		at, known := list[place]
		if !known {
			at = len(files)
			list[place], files = at, append(files, nil)
		}
		files[at] = append(files[at], wire.Quote(member)+":"+value)
	}
	var objects []string
	for _, members := range files {
		objects = append(objects, "{"+strings.Join(members, ",")+"}")
	}
	if len(objects) > 0 {
		out = append(out, `"attachments":[`+strings.Join(objects, ",")+"]")
	}
	return []byte("{" + strings.Join(out, ",") + "}")
}

// attachment splits the name of a field of an attachment.
func attachment(name string) (place, member string, ok bool) {
	rest, ok := strings.CutPrefix(name, "attachments[")
	if !ok {
		return "", "", false
	}
	place, member, ok = strings.Cut(rest, "][")
	if !ok {
		return "", "", false
	}
	member, ok = strings.CutSuffix(member, "]")
	return place, member, ok
}
