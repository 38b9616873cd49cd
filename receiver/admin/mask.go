package admin

import (
	"regexp"
	"strings"

	"github.com/mailvane/mailvane/receiver/event/filter"
)

// masked stands for what may be personal data.
const masked = "***"

var (
	// addresses are texts with an @ between two things that are no blanks, and quoted texts, which may be anything that came with a
	// message: a name, a subject, a header.
	addresses = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^\s<>"'(),;:=]+(?:@|%40)[^\s<>"'(),;]+`)
	// answered is the answer of an HTTP destination, whose words about an event may name anybody.
	answered = regexp.MustCompile(`(?s)(destination answered [45]\d\d[^:]*): .*`)
)

// maskText takes from a text of an error what may be personal data.
func maskText(text string) string {
	if before, after, failed := strings.Cut(text, filter.Evaluates); failed { // what follows holds what the expression read
		return before + filter.Problem(after)
	}
	text = answered.ReplaceAllString(text, "$1: "+masked)
	return addresses.ReplaceAllString(text, masked)
}

// Mask takes personal data from the view.
func (d *DeadLetter) Mask() {
	d.Masked = true
	d.Payload, d.PayloadBase64 = "", nil
	d.Reason = maskText(d.Reason)
}

// Mask takes personal data from the result.
func (r *Result) Mask() {
	for id, reason := range r.Failed {
		r.Failed[id] = maskText(reason)
	}
}

// Mask takes personal data from the view.
func (s *Sink) Mask() { s.LastError = maskText(s.LastError) }
