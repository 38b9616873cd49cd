package filter_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
)

// TestMailReadsAsEmpty checks that an event without a mail reads as one whose fields are empty.
func TestMailReadsAsEmpty(t *testing.T) {
	t.Parallel()
	c, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	bounce, mail := &event.Event{Type: event.Bounced}, &event.Event{Type: event.Received, Mail: &event.Mail{
		Text: "hello", Spam: event.Spam{Verdict: "fail"}, From: []event.Mailbox{{Address: "a@example.com"}}, Attachments: []event.Attachment{{MediaType: "application/pdf"}},
	}}
	for expression, want := range map[string][2]bool{
		`event.mail.text == ""`:                                              {true, false},
		`event.mail.spam.verdict == "fail"`:                                  {false, true},
		`event.mail.attachments.exists(a, a.mediaType == "application/pdf")`: {false, true},
		`event.mail.from.size() == 1`:                                        {false, true},
		`has(event.mail)`:                                                    {false, true},
		`event.mail.envelope.from == ""`:                                     {true, true},
	} {
		f, err := c.Compile(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		for i, e := range []*event.Event{bounce, mail} {
			if got, err := f.Match(e); err != nil || got != want[i] {
				t.Errorf("%s of %s: %v, %v, want %v", expression, e.Type, got, err, want[i])
			}
		}
	}
}
