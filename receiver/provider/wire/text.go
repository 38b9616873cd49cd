package wire

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
)

// MessageID returns an RFC 5322 Message-ID without its angle brackets.
func MessageID(t Text) string {
	id := strings.TrimSpace(string(t))
	if strings.HasPrefix(id, "<") && strings.HasSuffix(id, ">") {
		id = id[1 : len(id)-1]
	}
	return id
}

// Address returns the bare address of "Name <address>", or the text itself when it has no such form.
func Address(text string) string {
	text = strings.TrimSpace(text)
	start := strings.LastIndexByte(text, '<')
	if start >= 0 && strings.HasSuffix(text, ">") {
		return strings.TrimSpace(text[start+1 : len(text)-1])
	}
	return text
}

// replyPattern finds an SMTP reply at the start of a text or after a prefix such as "Error: Invalid login: " or "smtp; ".
var replyPattern = regexp.MustCompile(`(?:^|;\s*|:\s+)([245]\d\d)(?:[ -]([245]\.\d{1,3}\.\d{1,3}))?(?:[\s-]|$)`)

// enhancedPattern is an enhanced mail system status code (RFC 3463 section 2).
var enhancedPattern = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`)

// SMTPReply finds the reply code and the enhanced status code in a server's own words. What is not there is 0 and "".
func SMTPReply(text string) (code int, enhanced string) {
	match := replyPattern.FindStringSubmatch(text)
	if match == nil {
		return 0, ""
	}
	code, _ = strconv.Atoi(match[1])
	return code, match[2]
}

// EnhancedCode returns the trimmed text when it is an enhanced status code (RFC 3463), else "".
func EnhancedCode(text string) string {
	text = strings.TrimSpace(text)
	if !enhancedPattern.MatchString(text) {
		return ""
	}
	return text
}

// First returns the first text that is not empty.
func First(texts ...Text) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// SetMetadata adds a value that has no field of its own. An empty one is left out.
func SetMetadata(e *event.Event, name string, value Text) {
	if value == "" {
		return
	}
	if e.Metadata == nil {
		e.Metadata = map[string]string{}
	}
	e.Metadata[name] = string(value)
}
