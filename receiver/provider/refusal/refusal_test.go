package refusal_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// answered returns an event as providers make it that pass on a server's words.
func answered(text string) *event.Event {
	e := &event.Event{Diagnostic: text}
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(text)
	return e
}

// TestRepliesOfMailboxProviders holds whole replies against what they say, of several lines and odd codes among them.
func TestRepliesOfMailboxProviders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]event.Bounce{
		// Gmail.
		"550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n550-5.1.1 double-checking the recipient's email address for typos or\r\n550 5.1.1 unnecessary spaces. x-1 - gsmtp": {Type: "hard", Category: "user_unknown"},
		"550-5.1.1 The email account that you tried to reach does\n550-5.1.1 not exist. - gsmtp":                                                                                                              {Type: "hard", Category: "user_unknown"},
		"550 5.2.1 The email account that you tried to reach is disabled. - gsmtp":                                                                                                                            {Type: "hard", Category: "user_unknown"},
		"452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to support - gsmtp":                                                                                             {Type: "soft", Category: "mailbox_full"},
		"552 5.2.2 The recipient's inbox is out of storage space and inactive. - gsmtp":                                                                                                                       {Type: "hard", Category: "mailbox_full"},
		"450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.":                                                                    {Type: "soft", Category: "policy"},
		"550-5.7.1 [192.0.2.1      12] Our system has detected that this message is\n550-5.7.1 likely unsolicited mail. - gsmtp":                                                                              {Type: "soft", Category: "spam"},
		"421-4.7.0 [192.0.2.1] Our system has detected an unusual rate of unsolicited mail originating from your IP address.":                                                                                 {Type: "soft", Category: "reputation"},
		"550-5.7.1 this message is likely suspicious due to the very low reputation of the sending domain.":                                                                                                   {Type: "soft", Category: "reputation"},
		"550-5.7.26 This mail has been blocked because the sender is unauthenticated.":                                                                                                                        {Type: "soft", Category: "policy"},
		"552-5.7.0 This message was blocked because its content presents a potential security issue.":                                                                                                         {Type: "soft", Category: "content"},
		"554 30 Sorry, your message to <someone@example.com> cannot be delivered. This mailbox is disabled (554.30).":                                                                                         {Type: "hard", Category: "user_unknown"},
		"552 1 Requested mail action aborted, mailbox not found":                                                                                                                                              {Type: "hard", Category: "user_unknown"},
		"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1":                                                                              {Type: "soft", Category: "reputation"},
		"554 5.7.9 Message not accepted for policy reasons. See https://senders.example.com/":                                                                                                                 {Type: "soft", Category: "policy"},
		"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [x.example.com 2026-11-30T10:00:00.000Z 08DE]":                                                                              {Type: "hard", Category: "user_unknown"},
		"550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your ISP since part of their network is on our block list (S3140).":                                                  {Type: "soft", Category: "reputation"},
		"550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.prod.protection.outlook.com]":                                                                                                  {Type: "hard", Category: "user_unknown"},
		"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup":                                                                                                               {Type: "hard", Category: "user_unknown"},
		"550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal from this list":                                                                                                         {Type: "soft", Category: "reputation"},
		"451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.":                                                                                                     {Type: "soft", Category: "reputation"},
		"554 5.2.2 mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded":                                                                                          {Type: "hard", Category: "mailbox_full"},
		"550 5.7.515 Access denied, sending domain EXAMPLE.COM does not meet the required authentication level.":                                                                                              {Type: "soft", Category: "policy"},
		"550 5.7.1 No such user!": {Type: "hard", Category: "user_unknown"}, // a status of policy
		"554 5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc":                      {Type: "soft", Category: "spam"},
		"550 Message was not accepted -- invalid mailbox.  Local mailbox x is unavailable: user not found": {Type: "hard", Category: "user_unknown"},
		"550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help":                                   {Type: "hard", Category: "user_unknown"},
		"550 Ip frequency limited": {Type: "soft", Category: "policy"},
		"554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/":                 {Type: "soft", Category: "policy"},
		"554 Transaction failed Reject due to policy restrictions.":                                                      {Type: "soft", Category: "policy"},
		"550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in local recipient table":                   {Type: "hard", Category: "user_unknown"},
		"450 4.1.1 <x@example.com>: Recipient address rejected: unverified address: Address verification in progress":    {Type: "soft", Category: "other"},
		"450 4.2.0 <x@example.com>: Recipient address rejected: Greylisted, see http://postgrey.example.com/":            {Type: "soft", Category: "policy"},
		"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org":                          {Type: "soft", Category: "reputation"},
		"550 5.4.4 Host or domain name not found. Name service error for name=example.invalid type=AAAA: Host not found": {Type: "hard", Category: "user_unknown"},
		"550 Unrouteable address":                                       {Type: "hard", Category: "user_unknown"},
		"Sorry, no mailbox here by that name. (#5.1.1)":                 {Type: "hard", Category: "user_unknown"},
		"552 5.3.4 Message size exceeds fixed limit":                    {Type: "soft", Category: "content"},
		"554 5.7.1 <x@example.com>: Relay access denied":                {Type: "soft", Category: "policy"},
		"connect to mx.example.com[192.0.2.1]:25: Connection timed out": {Type: "soft", Category: "connection"},

		// A status of policy, in two lines.
		"550-5.7.1 No such\r\n550 5.7.1 user!": {Type: "hard", Category: "user_unknown"},
	} {
		if got := refusal.Classify(answered(text)); got != want {
			t.Errorf("%s\n is %v, want %v", text, got, want)
		}
	}
}

// TestCodesDecideWhereNoWordsAreKnown gives words that say nothing, words in addresses, and none.
func TestCodesDecideWhereNoWordsAreKnown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]event.Bounce{
		"550 5.1.1 nope":                         {Type: "hard", Category: "user_unknown"},
		"550 5.7.1 nope":                         {Type: "soft", Category: "policy"},
		"451 later":                              {Type: "soft"},
		"554 no":                                 {Type: "hard"},
		"250 2.0.0 OK":                           {Type: "undetermined"},
		"554 <spamhaus.org@example.com> refused": {Type: "hard"},
		"421 4.3.0 user.unknown@example.com: try later":    {Type: "soft"},
		"550 5.1.1 <over quota@example.com> is not a user": {Type: "hard", Category: "user_unknown"},
		"": {Type: "undetermined"},
		strings.Repeat("x ", 4096) + "user unknown": {Type: "undetermined"}, // beyond what is looked at
	} {
		if got := refusal.Classify(answered(text)); got != want {
			t.Errorf("%.80s is %v, want %v", text, got, want)
		}
	}
	if got := refusal.Category(answered("554 no")); got != event.CategoryOther {
		t.Errorf("without more, the category is %q", got)
	}
	e := &event.Event{Reason: "Mailbox full", SMTPCode: 552}
	if got := refusal.Classify(e); got != (event.Bounce{Type: "hard", Category: "mailbox_full"}) {
		t.Errorf("words that are the reason: %v", got)
	}
}

// TestTheTable asks of each row that it can be found, and that none before it takes all of its replies.
func TestTheTable(t *testing.T) {
	t.Parallel()
	for _, row := range refusal.Table() {
		if row.Of == "" || row.Category == "" || row.Text != strings.ToLower(strings.Join(strings.Fields(row.Text), " ")) {
			t.Errorf("%+v: words are in small letters with one blank between them, of somebody, with a category", row)
		}
		got := refusal.Classify(&event.Event{Diagnostic: strings.ToUpper(row.Text), SMTPCode: 450})
		want := row.Bounce
		if want.Type == "" {
			want.Type = event.Soft
		}
		if got != want {
			t.Errorf("%q is %v, want %v: a row before it has its words", row.Text, got, want)
		}
	}
}

// TestThePage holds the page for readers against the table.
func TestThePage(t *testing.T) {
	t.Parallel()
	var rows []providertest.Row
	for _, w := range refusal.Table() {
		kind := string(w.Type)
		if kind == "" {
			kind = "by the codes, else soft"
		}
		rows = append(rows, providertest.Row{"`" + w.Text + "`", w.Of, kind, w.Category})
	}
	providertest.CheckTable(t, "../../../docs/bounces.md", "words", providertest.Row{"words", "of", "type", "category"}, rows)
}
