package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
)

// TestTheConsoleOfARun opens the link that "run" prints, finds an event that came, and dead letters.
func TestTheConsoleOfARun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, folder, "all.yaml", tracedManifest)
	p := start(t, folder, t.TempDir())
	for _, body := range []string{opened, "{no JSON"} {
		response, err := http.Post(p.url+"/hooks/postmark/a-token-that-nobody-may-see", "application/json", strings.NewReader(body)) //nolint:noctx // It is short.
		must(t, err)
		_ = response.Body.Close()
	}
	link := regexp.MustCompile(`console: (http://\S+)/login\S+`).FindStringSubmatch(p.log())
	if link == nil {
		t.Fatal(p.log())
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	client := &http.Client{Jar: jar}
	page := func(address string) string {
		response, err := client.Get(address) //nolint:noctx // It is short.
		must(t, err)
		text, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		return string(text)
	}
	if text := page(strings.TrimPrefix(link[0], "console: ")); !strings.Contains(text, "mail/postmark") {
		t.Error(text)
	}
	eventually(t, "the event is on its page", func() bool { return strings.Contains(page(link[1]+"/events"), "ada@example.com") })
	if text := page(link[1] + "/message?recipient=ada%40example.com"); !strings.Contains(text, "opened") {
		t.Error(text)
	}
	if text := page(link[1] + "/deadletters"); !strings.Contains(text, "Undecodable") {
		t.Error(text)
	}
	p.stop()
	if _, err := client.Get(link[1]); err == nil { //nolint:bodyclose,noctx // There is none.
		t.Error("the page outlives its command")
	}
}
