// Package mailtrap registers webhooks at Mailtrap: https://docs.mailtrap.io/developers/account-management/webhooks.
package mailtrap

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// Vendor returns what Mailtrap's API is like. The signing secret of a webhook is told once, when it is made.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://mailtrap.io/api"},
		Events: []string{"delivery", "soft_bounce", "bounce", "suspension", "unsubscribe", "open", "spam_complaint", "click", "reject"},
	}
}

type webhook struct {
	ID     int64    `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"event_types"`
	Active *bool    `json:"active"`
	Secret string   `json:"signing_secret"`
}

func read(w webhook) registration.Webhook {
	return registration.Webhook{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Events: w.Events, Disabled: w.Active != nil && !*w.Active, Key: w.Secret}
}

func body(w *registration.Wanted, present *registration.Webhook) any {
	b := map[string]any{"url": w.URL, "event_types": w.Events, "active": true}
	if present == nil {
		b["webhook_type"], b["payload_format"], b["sending_stream"] = "email_sending", "json", "transactional"
	}
	return map[string]any{"webhook": b}
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {"Bearer " + a.Key}}, Path: "/accounts/" + url.PathEscape(a.Name) + "/webhooks",
		Items: "data", Item: "data", Method: http.MethodPatch, Read: read, Body: body,
	}}
}
