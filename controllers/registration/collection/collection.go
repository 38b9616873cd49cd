// Package collection asks APIs that have webhooks under a path, each under its id, as most providers' do.
package collection

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"

	"github.com/mailvane/mailvane/controllers/registration"
)

const (
	// PageSize is the number of webhooks that are asked for at a time, where an API has pages.
	PageSize = 100
	// maxPages bounds the pages that are read.
	maxPages = 50
)

// Collection is the API of an account. T is a webhook as the provider writes it.
type Collection[T any] struct {
	// Doer asks, with Header.
	Doer   registration.Doer
	Header http.Header
	// Path is where the webhooks are, and Query what every request for them has.
	Path  string
	Query url.Values
	// Items and Item are the members of an answer that hold the list, and the one webhook that was made; empty = the answer itself.
	Items, Item string
	// Page returns what asks for a page, counted from 0, after the webhook with an id; nil = there are no pages.
	Page func(page int, after string) url.Values
	// Method is that of a change.
	Method string
	// Read returns a webhook of the provider's.
	Read func(T) registration.Webhook
	// Body returns what the provider is to be told of a webhook, of which present is what it has; nil when it is to be made.
	Body func(w *registration.Wanted, present *registration.Webhook) any
}

// List returns the webhooks of all pages.
func (c *Collection[T]) List(ctx context.Context) ([]registration.Webhook, error) {
	var all []registration.Webhook
	seen := map[string]bool{}
	for page := range maxPages {
		items, err := c.page(ctx, page, all)
		if err != nil {
			return nil, err
		}
		for i := range items {
			webhook := c.Read(items[i])
			if webhook.ID != "" && seen[webhook.ID] { // an API that knows no pages says the same again
				return all, nil
			}
			seen[webhook.ID] = true
			all = append(all, webhook)
		}
		if c.Page == nil || len(items) < PageSize {
			break
		}
	}
	return all, nil
}

func (c *Collection[T]) page(ctx context.Context, page int, before []registration.Webhook) ([]T, error) {
	query := maps.Clone(c.Query)
	if c.Page != nil {
		after := ""
		if len(before) > 0 {
			after = before[len(before)-1].ID
		}
		if query == nil {
			query = url.Values{}
		}
		maps.Copy(query, c.Page(page, after))
	}
	var items []T
	err := c.Doer.Do(ctx, registration.Request{Path: c.Path, Query: query, Header: c.Header}, &member{c.Items, &items})
	return items, err
}

// Create makes a webhook.
func (c *Collection[T]) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	var made T
	r := registration.Request{Method: http.MethodPost, Path: c.Path, Query: c.Query, JSON: c.Body(&w, nil), Header: c.Header}
	if err := c.Doer.Do(ctx, r, &member{c.Item, &made}); err != nil {
		return registration.Webhook{}, err
	}
	return c.Read(made), nil
}

// Update changes a webhook.
func (c *Collection[T]) Update(ctx context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	r := registration.Request{Method: c.Method, Path: c.one(present), Query: c.Query, JSON: c.Body(&w, &present), Header: c.Header}
	return registration.Webhook{ID: present.ID, URL: w.URL}, c.Doer.Do(ctx, r, nil)
}

// Delete removes a webhook.
func (c *Collection[T]) Delete(ctx context.Context, present registration.Webhook) error {
	err := c.Doer.Do(ctx, registration.Request{Method: http.MethodDelete, Path: c.one(present), Query: c.Query, Header: c.Header}, nil)
	if registration.IsKind(err, registration.Missing) {
		return nil
	}
	return err
}

func (c *Collection[T]) one(w registration.Webhook) string {
	return c.Path + "/" + url.PathEscape(w.ID)
}

// Get reads one webhook in full.
func (c *Collection[T]) Get(ctx context.Context, w registration.Webhook) (one T, err error) {
	return one, c.Doer.Do(ctx, registration.Request{Path: c.one(w), Query: c.Query, Header: c.Header}, &member{c.Item, &one})
}

// member decodes one member of an answer.
type member struct {
	name string
	into any
}

// UnmarshalJSON decodes the member. An object without it is no answer of the API.
func (m *member) UnmarshalJSON(text []byte) error {
	if m.name == "" {
		return json.Unmarshal(text, m.into)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	inner, there := object[m.name]
	if !there {
		return &json.UnmarshalTypeError{Value: "an object without " + m.name}
	}
	return json.Unmarshal(inner, m.into)
}
