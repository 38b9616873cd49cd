// Package resend registers webhooks at Resend: https://resend.com/docs/api-reference/webhooks.
package resend

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// Vendor returns what Resend's API is like. Each webhook has a signing secret of its own, which is told when it is made and when it is read.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://api.resend.com"},
		Events: []string{
			"email.sent", "email.scheduled", "email.delivered", "email.delivery_delayed", "email.complained", "email.bounced", "email.opened", "email.clicked",
			"email.received", "email.failed", "email.suppressed",
		},
		Placeholder: func(random []byte) (string, error) {
			return "whsec_" + base64.StdEncoding.EncodeToString(random), nil
		},
	}
}

type webhook struct {
	ID       string   `json:"id"`
	Endpoint string   `json:"endpoint"`
	Events   []string `json:"events"`
	Status   string   `json:"status"`
	Secret   string   `json:"signing_secret"`
}

func read(w webhook) registration.Webhook {
	return registration.Webhook{ID: w.ID, URL: w.Endpoint, Events: w.Events, Disabled: w.Status == "disabled", Key: w.Secret}
}

func body(w *registration.Wanted, present *registration.Webhook) any {
	b := map[string]any{"endpoint": w.URL, "events": w.Events}
	if present != nil {
		b["status"] = "enabled"
	}
	return b
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {"Bearer " + a.Key}}, Path: "/webhooks", Items: "data", Method: http.MethodPatch, Read: read, Body: body,
		Page: func(_ int, after string) url.Values {
			query := url.Values{"limit": {strconv.Itoa(collection.PageSize)}}
			if after != "" {
				query.Set("after", after)
			}
			return query
		},
	}}
}

// Key reads the signing secret of a webhook.
func (a *api) Key(ctx context.Context, present registration.Webhook) (string, error) {
	one, err := a.Get(ctx, present)
	return one.Secret, err
}
