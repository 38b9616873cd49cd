package scheme

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The words for parts of a message.
const (
	bodyWord     = "body"
	stampWord    = "timestamp"
	urlWord      = "url"
	headerPrefix = "header:"
	textPrefix   = "text:"
)

// partKind says what a part of a message is.
type partKind int

const (
	textPart partKind = iota
	bodyPart
	stampPart
	urlPart
	headerPart
)

// part is one of those that are signed, one after the other.
type part struct {
	kind partKind
	// text is what is signed of a text, and the name of a header.
	text string
	// edge is the text that stands between this part and the next one towards the body. What it says must not occur in a header or a query:
	// otherwise bytes could be moved from one part to another and be signed all the same.
	edge string
}

// message is what a sender signs. From the bytes alone it follows where each part begins and ends, so that no two requests have the same.
type message struct {
	parts []part
	// body is the position of the body.
	body int
	// hasStamp says that a timestamp is signed, and fixed that nothing but its length says where it ends.
	hasStamp, fixed bool
}

// parseMessage reads the parts of a message. stampHeader is the header of the timestamp, in its canonical form: both words for it mean the
// same. The error says what to write instead.
func parseMessage(words []string, stampHeader string) (message, error) {
	m := message{body: -1}
	if len(words) == 0 {
		words = []string{bodyWord}
	}
	for i, word := range words {
		p, err := parsePart(word)
		if err == nil {
			err = m.add(p, stampHeader)
		}
		if err != nil {
			return m, fmt.Errorf("signed[%d]: %w", i, err)
		}
	}
	if m.body < 0 {
		return m, errors.New("signed: must hold body: what is not signed can be replaced by anybody who has seen one request")
	}
	return m, m.setEdges()
}

// add adds a part. Texts that follow one another are one text.
func (m *message) add(p part, stampHeader string) error {
	if p.kind == headerPart && p.text == stampHeader {
		p = part{kind: stampPart}
	}
	last := len(m.parts) - 1
	switch {
	case p.kind == textPart && last >= 0 && m.parts[last].kind == textPart:
		m.parts[last].text += p.text
		return nil
	case p.kind != textPart && slices.Contains(m.parts, p):
		return errors.New("occurs twice")
	case p.kind == bodyPart:
		m.body = len(m.parts)
	case p.kind == stampPart:
		m.hasStamp = true
	}
	m.parts = append(m.parts, p)
	return nil
}

func parsePart(word string) (part, error) {
	switch word {
	case bodyWord:
		return part{kind: bodyPart}, nil
	case stampWord:
		return part{kind: stampPart}, nil
	case urlWord:
		return part{kind: urlPart}, nil
	}
	if name, ok := strings.CutPrefix(word, headerPrefix); ok {
		name, err := headerName(name)
		return part{kind: headerPart, text: name}, err
	}
	if text, ok := strings.CutPrefix(word, textPrefix); ok && text != "" {
		return part{text: text}, nil
	}
	if word == "" || strings.ContainsFunc(word, isWordCharacter) {
		return part{}, errors.New(`must be body, timestamp, url, header:NAME, punctuation such as ".", or text: and any other text`)
	}
	return part{text: word}, nil
}

func isWordCharacter(c rune) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c > '~' }

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

// headerName checks the name of a header and returns its canonical form.
func headerName(name string) (string, error) {
	const marks = "!#$%&'*+-.^_`|~"
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c > '~' || !isWordCharacter(c) && !strings.ContainsRune(marks, c) }) {
		return "", errors.New("must be the name of a header, such as X-Signature")
	}
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Host":
		return "", errors.New("must not be Host, which proxies replace; write url")
	case "Connection", "Content-Length", "Transfer-Encoding", "Forwarded", "X-Forwarded-For":
		return "", errors.New("must be a header that proxies leave as it is")
	default:
		return name, nil
	}
}

// setEdges finds what stands between each part and the next one towards the body, and refuses what is ambiguous.
func (m *message) setEdges() error {
	for i := range m.parts {
		p, next := &m.parts[i], i+1
		if i > m.body {
			next = i - 1
		}
		if i == m.body || p.kind == textPart {
			continue
		}
		if m.parts[next].kind == textPart {
			p.edge = m.parts[next].text
		}
		if err := p.checkEdge(i < m.body); err != nil {
			return err
		}
		m.fixed = m.fixed || p.kind == stampPart && p.edge == ""
	}
	return nil
}

// checkEdge refuses a part that could end at two places. before says that it stands before the body.
func (p *part) checkEdge(before bool) error {
	switch p.kind { //nolint:exhaustive // the others have no edge
	case headerPart:
		if p.edge == "" {
			return fmt.Errorf(`signed: there must be a text such as "." between header:%s and what stands beside it: without one, bytes can be moved from one to the other and the signature stays good`, p.text)
		}
	case stampPart:
		near := strings.IndexFunc(p.edge, isDigit) == 0
		if !before {
			near = strings.LastIndexFunc(p.edge, isDigit) == len(p.edge)-1
		}
		if p.edge != "" && near {
			return errors.New("signed: the text beside timestamp must not continue its digits")
		}
	case urlPart:
		if strings.Contains(p.edge, "?") || before && strings.HasPrefix(p.edge, "/") {
			return errors.New(`signed: the text beside url must not hold "?", which begins a query, or begin with "/", which may end a path`)
		}
	}
	return nil
}

// compose returns the bytes of each part of a request, one after the other. It fails with the errors of package signature.
func (m *message) compose(r *provider.Request, stamp string) (all [][]byte, err error) {
	all = make([][]byte, len(m.parts))
	for i := range m.parts {
		switch p := &m.parts[i]; p.kind {
		case textPart:
			all[i] = []byte(p.text)
		case bodyPart:
			all[i] = r.Body
		case stampPart:
			all[i] = []byte(stamp)
		case urlPart:
			all[i], err = m.url(i, r)
		case headerPart:
			all[i], err = m.header(i, r)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// url returns the URL of a request. A path may end with a slash or not, for whoever posts to it.
func (m *message) url(i int, r *provider.Request) ([]byte, error) {
	p := &m.parts[i]
	movable := p.edge == "" && i+1 == m.body && bytes.HasPrefix(r.Body, []byte{'/'})
	if movable || r.Query != "" && p.hides("?"+r.Query, i < m.body) {
		return nil, signature.ErrMalformed
	}
	return []byte(r.URL()), nil
}

// header returns the value of a header that is signed.
func (m *message) header(i int, r *provider.Request) ([]byte, error) {
	value, err := signature.Header(r.Header, m.parts[i].text)
	if err == nil && m.parts[i].hides(value, i < m.body) {
		err = signature.ErrMalformed
	}
	return []byte(value), err
}

// hides reports whether the edge of a part is not where a value ends: it occurs in the value, or across its end.
func (p *part) hides(value string, before bool) bool {
	switch {
	case p.edge == "":
		return true
	case before:
		return strings.Index(value+p.edge, p.edge) != len(value)
	default:
		return strings.LastIndex(p.edge+value, p.edge) != 0
	}
}
