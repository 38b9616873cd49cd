package wire

import (
	"strconv"
	"strings"
)

// blanks are what separates a server's words.
const blanks = " \t\r\n\f"

// MessageID returns an RFC 5322 Message-ID without its angle brackets.
func MessageID(text string) string {
	id := strings.TrimSpace(text)
	if strings.HasPrefix(id, "<") && strings.HasSuffix(id, ">") {
		id = id[1 : len(id)-1]
	}
	return id
}

// SMTPReply finds the reply code and the enhanced status code in a server's own words, at their start or after a prefix such
// as "Error: Invalid login: " or "smtp; ". What is not there is 0 and "".
func SMTPReply(text string) (code int, enhanced string) {
	for i := range len(text) {
		if code, enhanced = replyAt(text[i:]); code != 0 && beginsReply(text[:i]) {
			return code, enhanced
		}
	}
	return 0, ""
}

// replyAt reads the codes that text begins with.
func replyAt(text string) (code int, enhanced string) {
	if len(text) < 3 || !isReplyClass(text[0]) || !isDigit(text[1]) || !isDigit(text[2]) || !endsCode(text[3:]) {
		return 0, ""
	}
	code, _ = strconv.Atoi(text[:3])
	if len(text) > 4 && (text[3] == ' ' || text[3] == '-') {
		rest := text[4:]
		if n := enhancedLength(rest); n > 0 && endsCode(rest[n:]) {
			enhanced = rest[:n]
		}
	}
	return code, enhanced
}

// beginsReply reports whether a reply may stand behind a text: behind none, a semicolon, or a colon and a blank.
func beginsReply(before string) bool {
	words := strings.TrimRight(before, blanks)
	return before == "" || strings.HasSuffix(words, ";") || strings.HasSuffix(words, ":") && len(words) < len(before)
}

// endsCode reports whether a code may end before rest.
func endsCode(rest string) bool {
	return rest == "" || rest[0] == '-' || strings.IndexByte(blanks, rest[0]) >= 0
}

// EnhancedCode returns the enhanced status code (RFC 3463 section 2) that a text is, or begins with when a comment or words follow:
// reports write "5.1.2 (bad destination system)" (RFC 3464 section 2.3.4). Else it returns "".
func EnhancedCode(text string) string {
	text = strings.TrimSpace(text)
	n := enhancedLength(text)
	if n == 0 || n < len(text) && strings.IndexByte(blanks+"(;,", text[n]) < 0 {
		return ""
	}
	return text[:n]
}

// enhancedLength returns how many bytes of text are an enhanced status code: class, subject and detail. 0 is none.
func enhancedLength(text string) int {
	if len(text) < 2 || !isReplyClass(text[0]) || text[1] != '.' {
		return 0
	}
	subject := digits(text[2:])
	if subject == 0 || len(text) == 2+subject || text[2+subject] != '.' {
		return 0
	}
	detail := digits(text[3+subject:])
	if detail == 0 {
		return 0
	}
	return 3 + subject + detail
}

// digits counts the digits that text begins with, up to the three that a part of an enhanced status code may have.
func digits(text string) int {
	n := 0
	for n < min(len(text), 3) && isDigit(text[n]) {
		n++
	}
	return n
}

func isReplyClass(c byte) bool { return c == '2' || c == '4' || c == '5' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// SMTPCode returns the text as an SMTP reply code, or 0 when it is none (RFC 5321 section 4.2: 200 to 599).
func SMTPCode(text string) int {
	if text == "" {
		return 0
	}
	code, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || code < 200 || code > 599 {
		return 0
	}
	return code
}

// First returns the first text that is not empty.
func First(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
