package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailvane/mailvane/controllers/registration"
)

const (
	// maxWords bounds what is repeated of a provider's words, in bytes.
	maxWords = 300
	// maxRetryAfter bounds how long a provider can put us off.
	maxRetryAfter = 6 * time.Hour
	// maxDepth bounds how deep the words of a provider are looked for.
	maxDepth = 4
)

// failure returns what an answer says that is no success.
func (c *Client) failure(response *http.Response, body []byte) error {
	failed := &registration.Error{Kind: kindOf(response.StatusCode), Status: response.StatusCode, Code: code(body), Words: c.words(body)}
	if failed.Kind == registration.Limited || failed.Kind == registration.Unavailable {
		failed.RetryAfter = retryAfter(response.Header.Get("Retry-After"), c.now())
	}
	if response.StatusCode/100 == 3 {
		failed.Words = "a redirect, which is not followed: the key would go elsewhere"
	}
	return failed
}

// code returns the word for what is wrong that is meant for programs, where an answer has one.
func code(body []byte) string {
	var answer struct {
		Name string `json:"name"`
	}
	if len(body) > maxAnswer || json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.Name
}

// kindOf returns what an answer means that says nothing else. A vendor's package knows better where it does.
func kindOf(status int) registration.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return registration.Unauthorized
	case status == http.StatusNotFound, status == http.StatusGone:
		return registration.Missing
	case status == http.StatusConflict:
		return registration.Exists
	case status == http.StatusTooManyRequests:
		return registration.Limited
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return registration.Unavailable
	case status/100 == 4:
		return registration.Refused
	default:
		return registration.Unavailable
	}
}

// retryAfter reads the header Retry-After (RFC 9110 section 10.2.3): seconds, or a date. What it cannot be is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		// Compared as seconds: as a duration, a large number would turn around.
		return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// words returns what a provider says in an answer: the texts under the names by which APIs tell what is wrong. What is no JSON, such as a page of a
// proxy, says nothing that is meant for people, and may say more than is their business.
func (c *Client) words(body []byte) string {
	var document any
	if len(body) > maxAnswer || json.Unmarshal(body, &document) != nil {
		return ""
	}
	var found []string
	collect(document, 0, &found)
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, c.secrets.Hide(hideURLs(strings.Join(found, "; "))))
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + " ..."
	}
	return text
}

// address matches URLs.
var address = regexp.MustCompile(`https?://[^\s"'<>]+`)

// hideURLs leaves the hosts of URLs: the rest of a webhook's is often a credential, and not only of ours.
func hideURLs(text string) string {
	return address.ReplaceAllStringFunc(text, func(found string) string {
		u, err := url.Parse(found)
		if err != nil || u.Host == "" {
			return hidden
		}
		if u.Path == "" && u.RawQuery == "" && u.User == nil {
			return found
		}
		return u.Scheme + "://" + u.Host + "/" + hidden
	})
}

// names are those of members that say what is wrong, in the order in which they are looked for.
func names() []string {
	return []string{
		"message", "Message", "ErrorMessage", "error_description", "error", "errors", "detail", "details", "description", "title", "code", "err_msg",
	}
}

// collect finds the texts that say what is wrong.
func collect(value any, depth int, found *[]string) {
	if depth > maxDepth {
		return
	}
	switch v := value.(type) {
	case string:
		if v = strings.TrimSpace(v); v != "" && depth > 0 && !contains(*found, v) {
			*found = append(*found, v)
		}
	case []any:
		for _, item := range v[:min(len(v), maxDepth)] {
			collect(item, depth+1, found)
		}
	case map[string]any:
		collectMembers(v, depth, found)
	}
}

// collectMembers finds the texts in an object.
func collectMembers(object map[string]any, depth int, found *[]string) {
	before := len(*found)
	for _, name := range names() {
		collect(object[name], depth+1, found)
	}
	if len(*found) > before || depth == 0 {
		return
	}
	for _, name := range sortedFirst(object, maxDepth) { // errors by field, such as {"url": ["is invalid"]}
		collect(object[name], depth+1, found)
	}
}
