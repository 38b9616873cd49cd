package wire_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestSMTPReply(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text     string
		code     int
		enhanced string
	}{
		"reply":                        {text: "550 5.1.1 no", code: 550, enhanced: "5.1.1"},
		"continued reply":              {text: "smtp; 550-5.1.1 no", code: 550, enhanced: "5.1.1"},
		"without a blank":              {text: "smtp;550 5.1.1 no", code: 550, enhanced: "5.1.1"},
		"code alone":                   {text: "421", code: 421},
		"in free text":                 {text: "Error: Invalid login: 535 5.7.8 Error", code: 535, enhanced: "5.7.8"},
		"line break after the code":    {text: "250\nok", code: 250},
		"a port":                       {text: "connect ECONNREFUSED 192.0.2.1:587"},
		"a number in a sentence":       {text: "gave up after 450 ms"},
		"the start of a longer number": {text: "55012 no"},
		"an intermediate reply":        {text: "354 go ahead"},
		"nothing":                      {text: ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, enhanced := wire.SMTPReply(c.text); code != c.code || enhanced != c.enhanced {
				t.Errorf("got %d %q, want %d %q", code, enhanced, c.code, c.enhanced)
			}
		})
	}
}

func TestTextForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"<a@b>": "a@b", " <a@b> ": "a@b", "a@b": "a@b", "<a@b": "<a@b", "": "", "<": "<"} {
		if got := wire.MessageID(text); got != want {
			t.Errorf("MessageID(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]int{"250": 250, " 550 ": 550, "199": 0, "600": 0, "5.1.1": 0, "": 0} {
		if got := wire.SMTPCode(text); got != want {
			t.Errorf("SMTPCode(%q) = %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{"5.1.1": "5.1.1", " 4.2.2": "4.2.2", "5.7.26": "5.7.26", "5.1": "", "3.1.1": "", "5.1.1.1": "", "5.1.2 (bad destination system)": "5.1.2", "4.4.1(connect)": "4.4.1", "5.0.0; see": "5.0.0", "5.1.1x": ""} {
		if got := wire.EnhancedCode(text); got != want {
			t.Errorf("EnhancedCode(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzSMTPReply holds the search for codes against the same as regular expressions.
func FuzzSMTPReply(f *testing.F) {
	reply := regexp.MustCompile(`(?:^|;\s*|:\s+)([245]\d\d)(?:[ -]([245]\.\d{1,3}\.\d{1,3}))?(?:[\s-]|$)`)
	enhanced := regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}(?:[\s(;,]|$)`)
	for _, seed := range []string{
		"550 5.1.1 no", "smtp; 550-5.1.1 no", "a:\f\t 421", "421", "Error: 535 5.7.8", "250\nok", ":250 ;250 ok", "x:550; 450", "55012 ; 354",
		"550 5.1.1111 no", "550 5.1.", "550 5.1", "550 5", "550-5.1.1-", "550 6.1.1", "550\v", "5.1.1", "4.1234.1", "2..1", "5.1.1\n", " ", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		wantCode, wantEnhanced := 0, ""
		if match := reply.FindStringSubmatch(text); match != nil {
			wantCode, _ = strconv.Atoi(match[1])
			wantEnhanced = match[2]
		}
		if code, found := wire.SMTPReply(text); code != wantCode || found != wantEnhanced {
			t.Errorf("SMTPReply(%q) = %d %q, want %d %q", text, code, found, wantCode, wantEnhanced)
		}
		if got, want := wire.EnhancedCode(text) != "", enhanced.MatchString(strings.TrimSpace(text)); got != want {
			t.Errorf("EnhancedCode(%q) is %v, want %v", text, got, want)
		}
	})
}
