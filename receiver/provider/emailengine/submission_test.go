package emailengine_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
)

// TestDeliveryErrors tells an attempt that another one follows from one that ends the submission, and whose fault it was.
func TestDeliveryErrors(t *testing.T) {
	t.Parallel()
	const later = `"job": {"attemptsMade": 0, "attempts": 3, "nextAttempt": "2022-09-14T15:07:45.465Z"}`
	const never = `"job": {"attemptsMade": 3, "attempts": 3, "nextAttempt": false}`
	for name, c := range map[string]struct {
		data   string
		want   event.Type
		bounce event.BounceType
	}{
		"4xx, tried again":                           {`"smtpResponseCode": 452, "smtpCommand": "RCPT TO", ` + later, event.Deferred, ""},
		"no connection, tried again":                 {`"error": "connect ECONNREFUSED", ` + later, event.Deferred, ""},
		"nothing said of another attempt":            {`"smtpResponseCode": 452, "smtpCommand": "RCPT TO"`, event.Deferred, ""},
		"no such address, whatever the next attempt": {`"smtpResponseCode": 550, "smtpResponse": "550 5.1.1 no", "smtpCommand": "RCPT TO", ` + later, event.Bounced, event.Hard},
		"5xx alone":                      {`"smtpResponseCode": 550, "smtpCommand": "RCPT TO", ` + later, event.Bounced, event.Hard},
		"policy":                         {`"smtpResponseCode": 550, "smtpResponse": "550 5.7.1 no", "smtpCommand": "RCPT TO", ` + later, event.Bounced, event.Soft},
		"message refused":                {`"smtpResponseCode": 554, "smtpResponse": "554 5.6.0 no", "smtpCommand": "DATA", ` + later, event.Bounced, event.Hard},
		"4xx, given up":                  {`"smtpResponseCode": 452, "smtpResponse": "452 4.2.2 full", "smtpCommand": "RCPT TO", ` + never, event.Bounced, event.Soft},
		"given up, with false as a date": {`"smtpResponseCode": 452, "smtpCommand": "RCPT TO", "job": {"nextAttempt": "1970-01-01T00:00:00.000Z"}`, event.Bounced, event.Soft},
		"given up, with null":            {`"smtpResponseCode": 452, "smtpCommand": "RCPT TO", "job": {"nextAttempt": null}`, event.Bounced, event.Soft},
		"503 is tried again":             {`"smtpResponseCode": 503, "smtpCommand": "RCPT TO", ` + later, event.Deferred, ""},
		"503, given up":                  {`"smtpResponseCode": 503, "smtpCommand": "RCPT TO", ` + never, event.Bounced, event.Hard},
		"login refused: no fault of the recipient": {`"smtpResponseCode": 535, "smtpResponse": "535 5.7.8 no", "smtpCommand": "AUTH PLAIN", "errorCode": "EAUTH", ` + later, event.Failed, ""},
		"sender refused":                       {`"smtpResponseCode": 553, "smtpCommand": "MAIL FROM", "errorCode": "EENVELOPE", ` + later, event.Failed, ""},
		"no connection, given up":              {`"error": "connect ECONNREFUSED", ` + never, event.Failed, ""},
		"code in the words only":               {`"error": "Can't send mail - all recipients were rejected: 550 5.1.1 no", ` + later, event.Bounced, event.Hard},
		"no command, recipients refused":       {`"smtpResponseCode": 550, "errorCode": "EENVELOPE", ` + later, event.Bounced, event.Hard},
		"no command, nobody knows whose fault": {`"smtpResponseCode": 554, ` + later, event.Failed, ""},
	} {
		e := decodeOne(t, notice("messageDeliveryError", `{"queueId": "q", "envelope": {"to": ["<a@example.com>"]}, `+c.data+`}`))
		if e.Type != c.want || e.Bounce.Type != c.bounce || e.Recipient != "a@example.com" {
			t.Errorf("%s: %s %q of %q, want %s %q", name, e.Type, e.Bounce.Type, e.Recipient, c.want, c.bounce)
		}
	}
}

// TestAFailureIsToldOnce: the last error names the recipient and fails, and messageFailed tells the same again.
func TestAFailureIsToldOnce(t *testing.T) {
	t.Parallel()
	fails := decodeOne(t, notice("messageDeliveryError", `{"queueId": "q1", "envelope": {"to": ["a@example.com"]}, "smtpResponseCode": 535, "smtpCommand": "AUTH PLAIN"}`))
	bounces := decodeOne(t, notice("messageDeliveryError", `{"queueId": "q1", "envelope": {"to": ["a@example.com"]}, "smtpResponseCode": 550, "smtpCommand": "RCPT TO"}`))
	failed := decodeOne(t, notice("messageFailed", `{"queueId": "q1", "error": "Error: Invalid login: 535 5.7.8"}`))
	other := decodeOne(t, notice("messageFailed", `{"queueId": "q2", "error": "Error: Invalid login: 535 5.7.8"}`))
	account := decodeOne(t, strings.Replace(notice("messageFailed", `{"queueId": "q1"}`), "example", "another", 1))
	if fails.Type != event.Failed || fails.ID != failed.ID {
		t.Errorf("%s has the id %s, messageFailed %s", fails.Type, fails.ID, failed.ID)
	}
	if bounces.Type != event.Bounced || bounces.ID == failed.ID || other.ID == failed.ID || account.ID == failed.ID {
		t.Errorf("two facts have one id: %s %s %s %s", failed.ID, bounces.ID, other.ID, account.ID)
	}
	first := decodeOne(t, notice("messageFailed", `{"error": "a"}`))
	if second := decodeOne(t, notice("messageFailed", `{"error": "b"}`)); first.ID == second.ID {
		t.Error("without a queue id two failures have one id")
	}
}

func TestCodesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"550": 550, `"550"`: 550, "99999": 0, "199": 0, "600": 0, "-550": 0, "5.5e2": 0, "false": 0} {
		e := decodeOne(t, notice("messageDeliveryError", `{"smtpResponseCode": `+text+`}`))
		kept := ""
		if want == 0 && text != "false" {
			kept = text
		}
		if e.SMTPCode != want || e.Details["smtpResponseCode"] != kept {
			t.Errorf("%s: code %d, kept %q", text, e.SMTPCode, e.Details["smtpResponseCode"])
		}
	}
}

// TestAProxyKeepsItsPassword: older versions send the URL of the proxy as it was typed.
func TestAProxyKeepsItsPassword(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"messageSent", "messageDeliveryError", "messageFailed", "somethingNew"} {
		e := decodeOne(t, notice(name, `{"networkRouting": {"localAddress": "192.0.2.1", "proxy": "socks5://user:p%40ss@w@proxy.example.com:1080"}, "queueId": "q"}`))
		if strings.Contains(string(e.Raw), "user") || !strings.Contains(string(e.Raw), `"proxy": "socks5://proxy.example.com:1080"`) {
			t.Errorf("%s: %s", name, e.Raw)
		}
		if again := decodeOne(t, string(e.Raw)); again.ID != e.ID {
			t.Errorf("%s: the stored event has the id %s, not %s", name, again.ID, e.ID)
		}
		for detail, value := range e.Details {
			if strings.Contains(value, "proxy") {
				t.Errorf("%s: detail %s is %q", name, detail, value)
			}
		}
	}
	plain := notice("messageSent", `{"networkRouting": {"proxy": "socks5://proxy.example.com:1080"}}`)
	if e := decodeOne(t, plain); string(e.Raw) != plain {
		t.Errorf("raw was changed: %s", e.Raw)
	}
}
