// Package unisendergo registers webhooks at Unisender Go: https://godocs.unisender.ru/web-api-ref#webhook.
package unisendergo

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/controllers/registration"
)

// blocks is the name by which spec.registration.events asks for spam_block, which has no kinds of its own.
const blocks = "spam_block"

// Vendor returns what Unisender Go's API is like. Webhooks are known by their URL, and a project's key signs them.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open,
		Bases: map[string]string{
			"": "https://go1.unisender.ru/ru/transactional/api/v1", "go1": "https://go1.unisender.ru/ru/transactional/api/v1", "go2": "https://go2.unisender.ru/ru/transactional/api/v1",
		},
		Events: []string{"sent", "delivered", "opened", "clicked", "unsubscribed", "subscribed", "soft_bounced", "hard_bounced", "spam", blocks},
	}
}

type api struct {
	doer   registration.Doer
	header http.Header
}

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{doer, http.Header{"X-Api-Key": {a.Key}}}
}

func (a *api) do(ctx context.Context, method string, body, out any) error {
	return a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/webhook/" + method + ".json", JSON: body, Header: a.header}, out)
}

// events are those of a webhook by kind.
type events struct {
	Statuses []string `json:"email_status,omitempty"`
	Blocks   []string `json:"spam_block,omitempty"`
}

type webhook struct {
	ID     int64  `json:"id,omitempty"`
	URL    string `json:"url"`
	Status string `json:"status"`
	Format string `json:"event_format,omitempty"`
	Info   int    `json:"delivery_info,omitempty"`
	Events events `json:"events"`
}

// List returns the webhooks of the project.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	var answer struct {
		Objects *[]webhook `json:"objects"`
	}
	err := a.do(ctx, "list", struct{}{}, &answer)
	if err == nil && answer.Objects == nil {
		err = &registration.Error{Kind: registration.Unavailable, Words: "its answer has no objects"}
	}
	if err != nil {
		return nil, err
	}
	all := make([]registration.Webhook, len(*answer.Objects))
	for i, w := range *answer.Objects {
		posted := append([]string{}, w.Events.Statuses...)
		if len(w.Events.Blocks) > 0 {
			posted = append(posted, blocks)
		}
		all[i] = registration.Webhook{URL: w.URL, Events: posted, Disabled: w.Status != "active"}
		if w.ID != 0 {
			all[i].ID = strconv.FormatInt(w.ID, 10)
		}
	}
	return all, nil
}

// Create sets a webhook.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	set := webhook{URL: w.URL, Status: "active", Format: "json_post", Info: 1}
	for _, event := range w.Events {
		if event == blocks {
			set.Events.Blocks = []string{"*"}
			continue
		}
		set.Events.Statuses = append(set.Events.Statuses, strings.TrimPrefix(event, "email_status."))
	}
	return registration.Webhook{URL: w.URL}, a.do(ctx, "set", set, nil)
}

// Update sets a webhook with the same URL anew. One with another URL is another webhook.
func (a *api) Update(ctx context.Context, _ registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	return a.Create(ctx, w)
}

// Delete removes a webhook.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	return a.do(ctx, "delete", map[string]string{"url": present.URL}, nil)
}
