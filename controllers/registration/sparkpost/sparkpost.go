// Package sparkpost registers event webhooks at SparkPost: https://developers.sparkpost.com/api/webhooks/.
package sparkpost

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// Vendor returns what SparkPost's API is like.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open,
		Bases: map[string]string{
			"": "https://api.sparkpost.com/api/v1", "US": "https://api.sparkpost.com/api/v1", "EU": "https://api.eu.sparkpost.com/api/v1",
		},
		Carries: registration.Carries{BasicFields: true, Header: true},
		Events: []string{
			"injection", "delivery", "delay", "bounce", "out_of_band", "policy_rejection", "generation_failure", "generation_rejection", "spam_complaint",
			"open", "initial_open", "click", "list_unsubscribe", "link_unsubscribe",
		},
	}
}

type webhook struct {
	ID     string   `json:"id"`
	Target string   `json:"target"`
	Events []string `json:"events"`
	Active *bool    `json:"active"`
}

func read(w webhook) registration.Webhook {
	return registration.Webhook{ID: w.ID, URL: w.Target, Events: w.Events, Disabled: w.Active != nil && !*w.Active}
}

// maxName is how long the name of a webhook is made, in characters.
const maxName = 64

func body(w *registration.Wanted, _ *registration.Webhook) any {
	b := map[string]any{"name": w.Name[:min(len(w.Name), maxName)], "target": w.URL, "events": w.Events, "active": true}
	if w.Username != "" {
		b["auth_type"] = "basic"
		b["auth_credentials"] = map[string]string{"username": w.Username, "password": w.Password}
	}
	if w.Header != "" {
		b["custom_headers"] = map[string]string{w.Header: w.HeaderValue}
	}
	return b
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {a.Key}}, Path: "/webhooks", Items: "results", Item: "results", Method: http.MethodPut, Read: read, Body: body,
	}}
}

// Test has SparkPost post a batch and tell what it was answered with; a refusal is an error of its API.
func (a *api) Test(ctx context.Context, present registration.Webhook) (registration.Test, error) {
	r := registration.Request{
		Method: http.MethodPost, Path: a.Path + "/" + url.PathEscape(present.ID) + "/validate", JSON: json.RawMessage(`{"message": {"msys": {}}}`), Header: a.Header,
	}
	err := a.Doer.Do(ctx, r, nil)
	return registration.Test{Passed: err == nil}, err
}
