package event

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Facts are what an encoded event is looked up by.
type Facts struct {
	// ID and Source are those of the envelope; together they name one event.
	ID, Source string
	// The others are those of [Event].
	Type                         string
	Recipient                    string
	Recipients                   []string
	MessageID, ProviderMessageID string
	SMTPCode                     int
	EnhancedCode                 string
}

// FactsOf returns the facts of an encoded event. What [Encode] wrote is read up to its raw payload, without reflection; anything else that
// [ParseEnvelope] takes is read by it.
func FactsOf(structured []byte) (Facts, error) {
	var f Facts
	if f.scan(structured) && f.ID != "" {
		return f, nil
	}
	envelope, err := ParseEnvelope(structured)
	if err != nil {
		return Facts{}, err
	}
	e, err := envelope.Event()
	if err != nil {
		return Facts{}, err
	}
	return Facts{
		ID: envelope.ID, Source: envelope.Source, Type: string(e.Type), Recipient: e.Recipient, Recipients: e.Recipients,
		MessageID: e.MessageID, ProviderMessageID: e.ProviderMessageID, SMTPCode: e.SMTPCode, EnhancedCode: e.EnhancedCode,
	}, nil
}

// scan reads the envelope and its data, and reports whether they have the form that Encode gives them.
func (f *Facts) scan(structured []byte) bool {
	ok := true
	whole := scanMembers(structured, func(name string, value []byte) bool {
		switch name {
		case "id":
			f.ID, ok = unquoted(value)
		case "source":
			f.Source, ok = unquoted(value)
		case "data":
			ok = f.scanData(value)
		}
		return ok
	})
	return ok && whole
}

func (f *Facts) scanData(data []byte) bool {
	ok := true
	whole := scanMembers(data, func(name string, value []byte) bool {
		switch name {
		case "type":
			f.Type, ok = unquoted(value)
		case "recipient":
			f.Recipient, ok = unquoted(value)
		case "recipients":
			f.Recipients, ok = unquotedList(value)
		case "messageId":
			f.MessageID, ok = unquoted(value)
		case "providerMessageId":
			f.ProviderMessageID, ok = unquoted(value)
		case "smtpCode":
			var err error
			f.SMTPCode, err = strconv.Atoi(string(value))
			ok = err == nil
		case "enhancedCode":
			f.EnhancedCode, ok = unquoted(value)
		}
		return ok
	})
	return ok && whole
}

// OriginOf returns the id and the source of an encoded event, most often as parts of it: only its beginning is read.
func OriginOf(structured []byte) (id, source []byte, err error) {
	const next = `,"source":"`
	if rest, ok := bytes.CutPrefix(structured, []byte(envelopeStart)); ok {
		if end := endOfString(rest, 0); end < len(rest) && bytes.HasPrefix(rest[end:], []byte(next)) {
			id, rest = rest[:end-1], rest[end+len(next):]
			if end = endOfString(rest, 0); end < len(rest) && bytes.IndexByte(id, '\\') < 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
				return id, rest[:end-1], nil
			}
		}
	}
	envelope, err := ParseEnvelope(structured)
	if err == nil && envelope.ID == "" {
		err = errNoID
	}
	return []byte(envelope.ID), []byte(envelope.Source), err
}

// scanMembers calls visit with the members of an object without white space, in order, until it returns false. whole is false when
// object begins with no such object.
func scanMembers(object []byte, visit func(name string, value []byte) bool) (whole bool) {
	if len(object) < 2 || object[0] != '{' {
		return false
	}
	rest := object[1:]
	for len(rest) > 0 && rest[0] == '"' {
		name, value, behind, ok := cutMember(rest)
		switch {
		case !ok:
			return false
		case !visit(string(name), value):
			return true
		case behind[0] == '}':
			return true
		}
		rest = behind[1:]
	}
	return len(rest) > 0 && rest[0] == '}' && len(object) == len(rest)+1
}

// cutMember returns the member that text begins with, and what is behind it, which begins with a comma or a brace.
func cutMember(text []byte) (name, value, behind []byte, ok bool) {
	end := endOfString(text, 1)
	if end >= len(text) || text[end] != ':' {
		return nil, nil, nil, false
	}
	name, text = text[1:end-1], text[end+1:]
	size := lengthOfValue(text)
	if size == 0 || size >= len(text) || text[size] != ',' && text[size] != '}' {
		return nil, nil, nil, false
	}
	return name, text[:size], text[size:], true
}

// lengthOfValue returns how long the JSON value is that text begins with; 0 = it begins with none.
func lengthOfValue(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '"':
		return endOfString(text, 1)
	case '{', '[':
		return lengthOfComposite(text)
	}
	if n := bytes.IndexAny(text, ",}]"); n > 0 {
		return n
	}
	return 0
}

func lengthOfComposite(text []byte) int {
	depth := 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = endOfString(text, i+1)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return 0
}

// unquoted returns the text of a JSON string; ok is false when value is none.
func unquoted(value []byte) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	plain, err := jsontext.AppendUnquote(nil, value)
	return string(plain), err == nil
}

// unquotedList returns the texts of a JSON array of strings.
func unquotedList(value []byte) (texts []string, ok bool) {
	if len(value) < 2 || value[0] != '[' {
		return nil, false
	}
	texts = []string{}
	for rest := value[1:]; len(rest) > 0; {
		if rest[0] == ']' {
			return texts, true
		}
		if rest[0] == ',' {
			rest = rest[1:]
			continue
		}
		size := lengthOfValue(rest)
		text, ok := unquoted(rest[:min(size, len(rest))])
		if !ok {
			return nil, false
		}
		texts, rest = append(texts, text), rest[size:]
	}
	return nil, false
}
