package wire

import (
	"slices"
	"strings"
)

// maxWords is how many words of a mailbox are told apart; what follows is one word.
const maxWords = 100

// Characters that mean something in a list of mailboxes.
const (
	openings = `"(<[`
	closings = `")>]`
	special  = openings + `,;:'` + blanks
)

// Mailbox is an address and the display name beside it (RFC 5322 section 3.4).
type Mailbox struct {
	// Name is the display name, without quotes; "" when there is none.
	Name string
	// Address is the bare address: its domain in lower case, its local part as it was sent.
	Address string
}

// Address returns the first bare address in a text, and "" when there is none.
func Address(text string) string {
	if !strings.ContainsAny(text, special) {
		return lowerDomain(text)
	}
	if boxes := Mailboxes(text); len(boxes) > 0 {
		return boxes[0].Address
	}
	return ""
}

// Addresses returns the bare addresses in a text, as [Mailboxes] finds them.
func Addresses(text string) []string { return bare(Mailboxes(text)) }

func bare(boxes []Mailbox) []string {
	if len(boxes) == 0 {
		return nil
	}
	addresses := make([]string, len(boxes))
	for i, b := range boxes {
		addresses[i] = b.Address
	}
	return addresses
}

// isPlain reports whether a text is one address, as nearly all are, or nothing that resembles one.
func isPlain(text string) bool { return text != "" && !strings.ContainsAny(text, special) }

// Mailboxes returns the mailboxes in a text: one, or a list by comma or semicolon, with groups (RFC 5322 section 3.4), of which the
// names are left out. It takes what mail has and no grammar allows, such as a bracket that is never closed. Text that is no address is
// returned as it is, for an odd recipient says more than none. At most one more than an event holds is returned.
func Mailboxes(text string) []Mailbox {
	if isPlain(text) {
		return []Mailbox{{Address: lowerDomain(text)}}
	}
	p := addressParser{text: text}
	for p.at < len(p.text) && len(p.boxes) <= MaxRecipients {
		p.next()
	}
	p.end()
	return p.boxes[:min(len(p.boxes), MaxRecipients+1)]
}

// addressParser reads a list of mailboxes from left to right.
type addressParser struct {
	text  string
	at    int
	boxes []Mailbox
	// What is known of the mailbox that is being read: its words so far, without comments, and the last comment.
	words   []string
	word    strings.Builder
	comment string
	// bracketed says that its address stood in angle brackets, so that no other word is one unless it looks like one.
	bracketed bool
	// unclosed are the openings that nothing closes. They are characters like any other, and are not looked for again.
	unclosed string
}

// next reads one character, or all up to the one that closes it.
func (p *addressParser) next() {
	c := p.text[p.at]
	end := p.closing(c)
	if end < 0 {
		p.at++
		p.single(c)
		return
	}
	within, whole := p.text[p.at+1:end], p.text[p.at:end+1]
	p.at = end + 1
	switch c {
	case '(':
		p.comment = strings.TrimSpace(within)
	case '<':
		p.endWord()
		p.keep(p.name(func(string) bool { return true }), withoutRoute(strings.TrimSpace(within)))
		p.words, p.bracketed = nil, true
	default:
		p.word.WriteString(whole)
	}
}

// single reads a character that opens nothing.
func (p *addressParser) single(c byte) {
	switch {
	case strings.IndexByte(blanks, c) >= 0 && len(p.words) < maxWords:
		p.endWord()
	case c == ',' || c == ';':
		p.end()
	case c == ':' && !strings.Contains(p.word.String(), "@"):
		p.endGroupName()
	default:
		p.word.WriteByte(c)
	}
}

// closing returns where the opening c at the present place is closed; -1 when it is not, or c is none.
func (p *addressParser) closing(c byte) int {
	switch {
	case strings.IndexByte(openings, c) < 0 || strings.IndexByte(p.unclosed, c) >= 0:
		return -1
	case c == '[' && !strings.HasSuffix(p.word.String(), "@"):
		return -1 // no domain in the form of an IP address
	case c == '<':
		return p.bracketEnd()
	}
	end := closingOf(p.text, p.at)
	if end < 0 {
		p.unclosed += string(c)
	}
	return end
}

// bracketEnd returns where the angle bracket at the present place is closed; -1 when another one opens before, and when nothing closes it.
func (p *addressParser) bracketEnd() int {
	for i := p.at + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '<':
			return -1
		case '>':
			return i
		case '"':
			// Within a word, as in a domain, a quote is a character like any other (RFC 5322 section 3.2.4).
			if strings.IndexByte(p.unclosed, '"') >= 0 || strings.IndexByte("<.:("+blanks, p.text[i-1]) < 0 {
				continue
			}
			end := closingOf(p.text, i)
			if end < 0 {
				p.unclosed += `"`
				continue
			}
			i = end
		}
	}
	return -1
}

func (p *addressParser) endWord() {
	if p.word.Len() > 0 {
		p.words = append(p.words, p.word.String())
		p.word.Reset()
	}
}

// endGroupName leaves out what stands before a colon: the name of a group, or a scheme such as mailto.
func (p *addressParser) endGroupName() {
	p.endWord()
	if slices.ContainsFunc(p.words, isAddress) {
		p.end()
	}
	p.words = nil
}

// end ends a mailbox and keeps what addresses its words are: two that nothing separates are two mailboxes.
func (p *addressParser) end() {
	p.endWord()
	found := false
	name := p.name(func(word string) bool { return !isAddress(word) })
	for _, word := range p.words {
		if isAddress(word) {
			found = true
			p.keepWord(name, word)
		}
	}
	if text := strings.Join(p.words, " "); !found && !p.bracketed && !isAddressType(text) {
		p.keepWord("", text)
	}
	p.words, p.comment, p.bracketed = nil, "", false
}

// name returns the display name that some of the words are, or else the comment.
func (p *addressParser) name(in func(word string) bool) string {
	var words []string
	for _, word := range p.words {
		if in(word) {
			words = append(words, unquoteText(word))
		}
	}
	return First(strings.Join(words, " "), p.comment)
}

// keepWord keeps a word that is an address. One that is quoted as a whole may hold a list.
func (p *addressParser) keepWord(name, word string) {
	if text := unquoteText(word); text != word && isAddress(text) {
		p.keep(name, text)
		return
	}
	if len(word) > 2 && word[0] == '\'' && word[len(word)-1] == '\'' {
		word = word[1 : len(word)-1]
	}
	for len(word) > 1 && word[0] == '<' && word[len(word)-1] == '>' { // what opened or closed within was not told apart
		word = word[1 : len(word)-1]
	}
	if word != "" {
		p.boxes = append(p.boxes, Mailbox{Name: name, Address: lowerDomain(word)})
	}
}

// keep keeps the mailboxes in a text that stood within quotes or brackets.
func (p *addressParser) keep(name, text string) {
	for _, box := range Mailboxes(text) {
		box.Name = First(name, box.Name)
		p.boxes = append(p.boxes, box)
	}
}

// closingOf returns the index of what closes the quote, parenthesis or square bracket that stands at an index; -1 when nothing does.
func closingOf(text string, at int) int {
	opening := text[at]
	closer := closings[strings.IndexByte(openings, opening)]
	depth := 0
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '(' && opening == '(':
			depth++
		case c == closer && depth > 0:
			depth--
		case c == closer:
			return i
		}
	}
	return -1
}

// isAddress reports whether a word has something on both sides of its last "@".
func isAddress(word string) bool {
	at := strings.LastIndexByte(word, '@')
	return at > 0 && at < len(word)-1
}

// isAddressType reports whether a text is what stands before the semicolon of an address in a delivery report (RFC 3464 section 2.3.1,
// RFC 6533 section 3).
func isAddressType(text string) bool {
	return strings.EqualFold(text, "rfc822") || strings.EqualFold(text, "utf-8")
}

// withoutRoute removes the servers that an obsolete address names before its own (RFC 5322 section 4.4).
func withoutRoute(address string) string {
	if route, rest, ok := strings.Cut(address, ":"); ok && strings.HasPrefix(route, "@") {
		return rest
	}
	return address
}

func lowerDomain(address string) string {
	at := strings.LastIndexByte(address, '@') + 1
	domain := address[at:]
	if lower := strings.ToLower(domain); at > 0 && lower != domain {
		return address[:at] + lower
	}
	return address
}

// unquoteText returns a text without the quotes around it and without escapes, and any other text as it is.
func unquoteText(text string) string {
	if len(text) < 2 || text[0] != '"' || closingOf(text, 0) != len(text)-1 {
		return text
	}
	var out strings.Builder
	for i := 1; i < len(text)-1; i++ {
		if text[i] == '\\' {
			i++
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
