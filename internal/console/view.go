package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/printable"
)

// parse reads each page's template, around which stands the layout.
func (c *Console) parse() (map[string]*template.Template, error) {
	functions := template.FuncMap{
		"text": printable.Text, "ago": c.ago, "stamp": stamp, "short": short, "kind": kind, "tone": tone, "json": indent, "link": link, "took": took, "lines": lines, "span": seconds,
	}
	names, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	all := map[string]*template.Template{}
	for _, entry := range names {
		if entry.Name() == layout {
			continue
		}
		t, err := template.New(layout).Funcs(functions).ParseFS(templateFiles, path.Join("templates", layout), path.Join("templates", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the template %s: %w", entry.Name(), err)
		}
		all[entry.Name()] = t
	}
	return all, nil
}

const layout = "layout.html"

// render writes a page, whole or not at all.
func (c *Console) render(w http.ResponseWriter, s shown, missing error) {
	v := view{Title: s.title, Tab: s.tab, Where: c.options.Where, Token: c.session.token(), Page: s.content}
	if missing != nil {
		v.Missing = missing.Error()
	}
	var out bytes.Buffer
	if err := c.templates[s.template].Execute(&out, v); err != nil {
		plain(w, http.StatusInternalServerError, "The page cannot be made: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	_, _ = w.Write(out.Bytes()) // the browser is gone
}

// ago returns how long ago something was, in one unit.
func (c *Console) ago(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	d := c.options.Now().Sub(at)
	switch {
	case d < 0:
		return "in " + span(-d)
	case d < time.Second:
		return "now"
	default:
		return span(d) + " ago"
	}
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05.000Z")
}

func took(milliseconds int64) string {
	return (time.Duration(milliseconds) * time.Millisecond).String()
}

// seconds returns a number of seconds in one unit.
func seconds(n int64) string { return span(time.Duration(n) * time.Second) }

// lines returns a text of several lines, each printable.
func lines(text string) string {
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = printable.Text(all[i])
	}
	return strings.Join(all, "\n")
}

// plural returns a number of things.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short returns the beginning of an id, which is enough to tell it from others on a page.
func short(id string) string {
	if len(id) <= 10 {
		return printable.Text(id)
	}
	return printable.Text(id[:8]) + "…"
}

// kind returns the part of a type behind "email.", which nearly all have.
func kind(t string) string { return strings.TrimPrefix(t, "email.") }

// tone returns the colour of a word: a state, an outcome or a type. Colour is never the only sign.
func tone(word string) string {
	switch word {
	case "Delivered", "email.delivered", "email.opened", "email.clicked", "True", "Active":
		return "good"
	case "DeadLetter", "Failed", "email.bounced", "email.complained", "email.failed", "email.rejected", "False", "failing":
		return "bad"
	case "Waiting", "email.deferred", "email.unsubscribed", "Unrouted", "Retried", "Dropped", "Unrecorded", "Paused":
		return "warn"
	default:
		return "plain"
	}
}

// indent returns JSON for people; what is none is returned as it is.
func indent(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return text
	}
	return out.String()
}

// link returns the address of a page with parameters, given as names and values; those that are empty are left out.
func link(to string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return to
	}
	return to + "?" + query.Encode()
}
