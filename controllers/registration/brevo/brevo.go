// Package brevo registers webhooks for transactional mail at Brevo: https://developers.brevo.com/reference/createwebhook.
package brevo

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// kind is the kind of webhooks that are kept. Those for marketing and for mail that comes in are others.
const kind = "transactional"

// Vendor returns what Brevo's API is like.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://api.brevo.com/v3"},
		Carries: registration.Carries{BasicInURL: true, Header: true},
		Events: []string{
			"request", "delivered", "deferred", "softBounce", "hardBounce", "blocked", "invalid", "spam", "opened", "uniqueOpened", "click", "unsubscribed",
		},
	}
}

type webhook struct {
	ID     int64    `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
}

func read(w webhook) registration.Webhook {
	return registration.Webhook{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Events: w.Events}
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Api-Key": {a.Key}}, Path: "/webhooks", Query: url.Values{"type": {kind}}, Items: "webhooks", Method: http.MethodPut,
		Read: read, Body: body,
	}}
}

func body(w *registration.Wanted, present *registration.Webhook) any {
	b := map[string]any{"url": w.URL, "description": w.Name, "events": w.Events}
	if present == nil {
		b["type"] = kind
	}
	if w.Header != "" {
		b["headers"] = []map[string]string{{"key": w.Header, "value": w.HeaderValue}}
	}
	return b
}

// List returns the webhooks. An account without any is answered with 404.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	all, err := a.Collection.List(ctx)
	if registration.IsKind(err, registration.Missing) {
		return nil, nil
	}
	return all, err
}
