package mime_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
)

// mail is a mail as clients write it: encoded words, a group, several parts, other charsets.
const mail = "From: =?UTF-8?Q?J=C3=BCrgen?= <a@EXAMPLE.com>\r\n" +
	"To: \"B, Inc.\" <b@example.com>, team: c@example.com, d@example.com;\r\n" +
	"Subject: =?ISO-8859-1?Q?caf=E9?=\r\n =?UTF-8?B?IQ==?=\r\n" +
	"Date: Mon, 2 Mar 2026 10:00:00 +0100\r\n" +
	"Message-ID: <1@example.com>\r\nIn-Reply-To: <0@example.com>\r\nReferences: <x@example.com>\r\n <0@example.com>\r\n" +
	"Auto-Submitted: auto-replied\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n" +
	"--b1\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n" +
	"--b2\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n" +
	"--b2\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n--b2--\r\n" +
	"--b1\r\nContent-Type: Application/PDF; name*=UTF-8''%C3%BC.pdf\r\nContent-Disposition: attachment\r\nContent-ID: <cid@example.com>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b1--\r\n"

func TestParse(t *testing.T) {
	t.Parallel()
	m, err := mime.Parse([]byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte{0, 1, 2})
	want := event.Mail{
		From: []event.Mailbox{{Address: "a@example.com", Name: "Jürgen"}},
		To:   []event.Mailbox{{Address: "b@example.com", Name: "B, Inc."}, {Address: "c@example.com"}, {Address: "d@example.com"}},
		Date: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), InReplyTo: "0@example.com", References: []string{"x@example.com", "0@example.com"},
		AutoSubmitted: "auto-replied", Text: "café", HTML: "<b>hi</b>",
		Attachments: []event.Attachment{{Name: "ü.pdf", MediaType: "application/pdf", Size: 3, SHA256: hex.EncodeToString(digest[:]), ContentID: "cid@example.com"}},
	}
	if diff := cmp.Diff(want, m.Mail); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if m.Subject != "café!" || m.MessageID != "1@example.com" || m.Truncated {
		t.Errorf("subject %q, message id %q, truncated %v", m.Subject, m.MessageID, m.Truncated)
	}
}

// TestOddMails checks mails that are legal and odd, or broken as real ones are.
func TestOddMails(t *testing.T) {
	t.Parallel()
	const header = "From: a@example.com\r\nMessage-ID: <1@example.com>\r\n"
	for name, c := range map[string]struct {
		mail, text string
		parts      int
		truncated  bool
		err        string
	}{
		"a header alone":          {mail: header},
		"bare line feeds":         {mail: strings.ReplaceAll(header, "\r\n", "\n") + "\nhello\n", text: "hello\n"},
		"an unknown charset":      {mail: header + "Content-Type: text/plain; charset=x-nobody\r\n\r\nhello", text: "hello"},
		"an unknown encoding":     {mail: header + "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nhello", text: "hello"},
		"bytes without a charset": {mail: header + "\r\nh\xe9llo", text: "h\ufffdllo"},
		"base64 that is none":     {mail: header + "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!", truncated: true},
		"without its end":         {mail: header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello", text: "hello", truncated: true},
		"without any part":        {mail: header + "Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing"},
		"no boundary":             {mail: header + "Content-Type: multipart/mixed\r\n\r\nhello"},
		"a text that is attached": {mail: header + "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nhello", parts: 1},
		"two texts":               {mail: header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--", text: "one", parts: 1},
		"a long text":             {mail: header + "\r\n" + strings.Repeat("é", event.MaxMailText), text: strings.Repeat("é", event.MaxMailText/2), truncated: true},
		"a bomb of parts":         {mail: header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 2000) + "--b--", err: "more than 1000 parts"},
		"nested without end":      {mail: header + nested(100), err: "more than 1000 parts"},
		"nothing":                 {mail: "", err: "no header"},
		"no header":               {mail: "\r\nhello", err: "no header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := mime.Parse([]byte(c.mail))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got %v, want %q", err, c.err)
			}
			if err != nil {
				return
			}
			if m.Text != c.text || len(m.Attachments) != c.parts || m.Truncated != c.truncated || m.MessageID != "1@example.com" {
				t.Errorf("text %.40q (%d bytes), %d attachments, truncated %v, message id %q", m.Text, len(m.Text), len(m.Attachments), m.Truncated, m.MessageID)
			}
		})
	}
}

// TestAttachments has attachments that a provider hands over apart from the mail.
func TestAttachments(t *testing.T) {
	t.Parallel()
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	for name, c := range map[string]struct {
		reason, base64 string
		want           event.Attachment
		truncated      bool
	}{
		"base64":              {"the usual form", "aGVsbG8=", event.Attachment{Size: 5, SHA256: hello}, false},
		"base64 in lines":     {"as MIME has it", "aGVs\r\nbG8=\r\n", event.Attachment{Size: 5, SHA256: hello}, false},
		"base64 that is none": {"of its bytes nothing is known", "aGVsbG8=!!", event.Attachment{}, true},
		"half of it":          {"nor of what breaks off", "aGVsbG8", event.Attachment{}, true},
	} {
		var m mime.Message
		m.AttachBase64(event.Attachment{Name: "a\xff", ContentID: "<c@example.com>"}, c.base64)
		c.want.Name, c.want.ContentID = "a\ufffd", "c@example.com"
		if diff := cmp.Diff([]event.Attachment{c.want}, m.Attachments); diff != "" || m.Truncated != c.truncated {
			t.Errorf("%s: truncated %v: %s: -want +got:\n%s", name, m.Truncated, c.reason, diff)
		}
	}
	var many mime.Message
	for range event.MaxAttachments + 1 {
		many.AttachBase64(event.Attachment{}, "")
	}
	if len(many.Attachments) != event.MaxAttachments || !many.Truncated {
		t.Errorf("%d attachments, truncated %v", len(many.Attachments), many.Truncated)
	}
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("\r\nhello")
	return b.String()
}

// FuzzParse checks that nothing panics, and that what is read is bounded and can be encoded.
func FuzzParse(f *testing.F) {
	f.Add([]byte(mail))
	f.Add([]byte("From: a@example.com\r\n\r\nhello"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := mime.Parse(raw)
		if err != nil {
			return
		}
		if _, err := json.Marshal(m.Mail); err != nil {
			t.Errorf("%v", err)
		}
		if len(m.Text) > 3*event.MaxMailText || len(m.Attachments) > event.MaxAttachments || !utf8.ValidString(m.Subject+m.Text+m.HTML) {
			t.Error("it is not bounded, or no UTF-8")
		}
	})
}

// TestParseHeader has headers alone, as providers hand them over: cut off behind the last field, and without what they tell of.
func TestParseHeader(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"without its end":         "To: A <a@example.com>\r\nSubject: hi",
		"with line feeds alone":   "To: A <a@example.com>\nSubject: hi\n",
		"with its end":            "To: A <a@example.com>\r\nSubject: hi\r\n\r\n",
		"of several parts":        "To: A <a@example.com>\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n",
		"of a part that is there": "To: A <a@example.com>\r\nSubject: hi\r\nContent-Type: application/pdf; name=a.pdf\r\n",
		"of an unknown encoding":  "To: A <a@example.com>\r\nSubject: hi\r\nContent-Transfer-Encoding: x-new\r\n",
	} {
		m, err := mime.ParseHeader([]byte(header))
		if diff := cmp.Diff(event.Mail{To: []event.Mailbox{{Name: "A", Address: "a@example.com"}}}, m.Mail); diff != "" || err != nil || m.Subject != "hi" {
			t.Errorf("%s: %q, %v: -want +got:\n%s", name, m.Subject, err, diff)
		}
	}
	for name, header := range map[string]string{"nothing": "", "no field": "\r\n", "no header": "\x00"} {
		if m, err := mime.ParseHeader([]byte(header)); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// TestDecode has texts in the character sets that mails have.
func TestDecode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ set, text, want string }{
		"UTF-8": {"UTF-8", "é", "é"}, "UTF-8 that is none": {"utf-8", "\xe9", "\ufffd"}, "none said": {"", "é", "é"}, "ASCII": {"us-ascii", "a", "a"},
		"Latin 1": {"ISO-8859-1", "\xe9", "é"}, "as Windows writes it": {"windows-1252", "\x80", "€"}, "Japanese": {"iso-2022-jp", "\x1b$B$\"\x1b(B", "あ"},
		"one that nobody knows": {"klingon", "é\xff", "é\ufffd"}, "UTF-16": {"utf-16le", "a\x00", "a"},
	} {
		if got := mime.Decode(c.set, []byte(c.text)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAttachmentMediaType has media types as providers hand them over.
func TestAttachmentMediaType(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"Text/Plain; charset=utf-8": "text/plain", " image/PNG ": "image/png", ";": "", "": ""} {
		var m mime.Message
		m.Attach(event.Attachment{MediaType: given}, strings.NewReader(""))
		if got := m.Attachments[0].MediaType; got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
