// Package mailersend registers webhooks at MailerSend: https://developers.mailersend.com/api/v1/account/webhooks.html.
package mailersend

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// maxName is how long the name of a webhook may be, in characters.
const maxName = 50

// Vendor returns what MailerSend's API is like. A webhook belongs to a domain and has a signing secret.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://api.mailersend.com/v1"},
		Events: []string{
			"activity.sent", "activity.delivered", "activity.soft_bounced", "activity.hard_bounced", "activity.deferred", "activity.opened", "activity.opened_unique",
			"activity.clicked", "activity.clicked_unique", "activity.unsubscribed", "activity.spam_complaint",
		},
	}
}

type webhook struct {
	ID      string   `json:"id"`
	URL     string   `json:"url"`
	Events  []string `json:"events"`
	Enabled *bool    `json:"enabled"`
	Secret  string   `json:"secret"`
}

func read(w webhook) registration.Webhook {
	return registration.Webhook{ID: w.ID, URL: w.URL, Events: w.Events, Disabled: w.Enabled != nil && !*w.Enabled, Key: w.Secret}
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {"Bearer " + a.Key}}, Path: "/webhooks", Query: url.Values{"domain_id": {a.Name}},
		Items: "data", Item: "data", Method: http.MethodPut, Read: read,
		Page: func(page int, _ string) url.Values {
			return url.Values{"page": {strconv.Itoa(page + 1)}, "limit": {strconv.Itoa(collection.PageSize)}}
		},
		Body: func(w *registration.Wanted, present *registration.Webhook) any {
			b := map[string]any{"url": w.URL, "name": w.Name[:min(len(w.Name), maxName)], "events": w.Events, "enabled": true}
			if present == nil {
				b["domain_id"] = a.Name
			}
			return b
		},
	}}
}

// Key reads the signing secret of a webhook.
func (a *api) Key(ctx context.Context, present registration.Webhook) (string, error) {
	one, err := a.Get(ctx, present)
	return one.Secret, err
}
