package filter_test

import (
	"strings"
	"testing"
)

func TestCheckRefusesConstantsThatNothingEquals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ expression, say string }{
		"a type without its ending":    {`event.type == "email.bounce"`, `did you mean "email.bounced"?`},
		"a type of a CloudEvent":       {`event.type == "dev.mailvane.email.bounced.v1"`, `did you mean "email.bounced"?`},
		"the constant first":           {`"email.bounce" == event.type`, `event.type is never "email.bounce"`},
		"not equal is always true":     {`event.type != "bounced"`, `event.type is never "bounced"; it is one of email.accepted`},
		"one of a list":                {`event.type in ["email.opened", "email.click"]`, `did you mean "email.clicked"?`},
		"a beginning":                  {`event.type.startsWith("mail.")`, `startsWith("mail.") is never true`},
		"an end":                       {`event.type.endsWith(".bounce")`, "is never true"},
		"the extension's spelling":     {`event.provider == "emailengine"`, `did you mean "EmailEngine"?`},
		"a bounce type":                {`event.bounce.type == "Hard"`, `did you mean "hard"?`},
		"a reject reason":              {`event.reject.reason == "bounced"`, "it is one of suppressed_bounce"},
		"null for a struct":            {`event.bounce != null`, "event.bounce is never null"},
		"an SMTP code that is none":    {`event.smtpCode == 5`, "it is 0 or 200 to 599"},
		"a zone that does not exist":   {`event.time.getHours("Europe/Berln") > 8`, `there is no time zone "Europe/Berln"`},
		"inside of a macro":            {`event.recipients.exists(r, event.type == "email.bounce")`, "did you mean"},
		"two of them are two problems": {`event.type == "email.bounce" || event.provider == "x"`, "EmailEngine, Postmark"},
		"what does not compile":        {`event.typ == ""`, "undefined field"},
	}
	c := newCompiler(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.Check(tc.expression, []string{"EmailEngine", "Postmark"})
			if err == nil || !strings.Contains(err.Error(), tc.say) {
				t.Errorf("Check = %v; want it to say %q", err, tc.say)
			}
		})
	}
}

func TestCheckAcceptsWhatCanBe(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	for reason, expression := range map[string]string{
		"a type":                         `event.type == "email.bounced" || event.type in ["test", "unknown"]`,
		"a beginning of types":           `event.type.startsWith("mailbox.") && !event.type.endsWith(".opened")`,
		"empty means not sent":           `event.bounce.type != "" && event.reject.reason == "" && event.smtpCode != 0`,
		"a provider":                     `event.provider in ["EmailEngine"]`,
		"a category is the provider's":   `event.bounce.category == "dns-failure"`,
		"a type that the event computes": `event.type == "email." + event.tags[0]`,
		"an SMTP code":                   `event.smtpCode == 550 || event.smtpCode > 5`,
		"an offset":                      `event.time.getHours("+02:00") < 9 || event.time.getHours("America/New_York") < 9`,
		"a zone that the event names":    `event.time.getHours(event.metadata.zone) < 9`,
		"another variable of that name":  `event.recipients.exists(type, type == "x")`,
	} {
		if err := c.Check(expression, []string{"EmailEngine"}); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if err := c.Check(`event.provider == "Anything"`, nil); err != nil {
		t.Errorf("without a list of providers: %v", err)
	}
}

// TestAReceiverTakesConstantsItDoesNotKnow: the manager that rendered a filter may be newer.
func TestAReceiverTakesConstantsItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if _, err := newCompiler(t).Compile(`event.type == "email.teleported"`); err != nil {
		t.Error(err)
	}
}
