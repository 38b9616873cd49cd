package rest

import (
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// hidden stands for what is left out.
const hidden = "[hidden]"

// minPart is the length from which a part of a secret is left out as well, in bytes: providers like to say which key they mean by its beginning.
const minPart = 6

// word matches what keys consist of.
var word = regexp.MustCompile(`[A-Za-z0-9_~.+=%-]{6,}`)

// Secrets are what no message may hold.
type Secrets struct{ values []string }

// NewSecrets returns Secrets. Each is known in the forms that URLs and headers give it, too.
func NewSecrets(values ...string) *Secrets {
	forms := map[string]bool{}
	for _, value := range values {
		if value == "" {
			continue
		}
		for _, form := range []string{
			value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte(value)),
		} {
			forms[form] = true
		}
	}
	longestFirst := func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	}
	return &Secrets{slices.SortedFunc(maps.Keys(forms), longestFirst)}
}

// Hide returns a text without secrets, and without longer parts of them.
func (s *Secrets) Hide(text string) string {
	for _, value := range s.values {
		text = strings.ReplaceAll(text, value, hidden)
	}
	return word.ReplaceAllStringFunc(text, func(w string) string {
		trimmed := strings.Trim(w, ".")
		if len(trimmed) >= minPart && slices.ContainsFunc(s.values, func(value string) bool { return strings.Contains(value, trimmed) }) {
			return hidden
		}
		return w
	})
}

func contains(all []string, one string) bool { return slices.Contains(all, one) }

// sortedFirst returns the first names of an object's members, sorted.
func sortedFirst(object map[string]any, most int) []string {
	names := slices.Sorted(maps.Keys(object))
	return names[:min(len(names), most)]
}
