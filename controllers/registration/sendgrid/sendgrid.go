// Package sendgrid registers event webhooks at Twilio SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/webhooks.
package sendgrid

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

const (
	settings = "/v3/user/webhooks/event/settings"
	signed   = settings + "/signed/"
)

// events are SendGrid's actions.
func events() []string {
	return []string{
		"processed", "dropped", "deferred", "delivered", "bounce", "open", "click", "spam_report", "unsubscribe", "group_unsubscribe", "group_resubscribe",
	}
}

// Vendor returns what SendGrid's API is like. A webhook signs, with a key of its own, when it is told to.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open:        open,
		Bases:       map[string]string{"": "https://api.sendgrid.com", "Global": "https://api.sendgrid.com", "EU": "https://api.eu.sendgrid.com"},
		Events:      events(),
		Carries:     registration.Carries{BasicInURL: true},
		Placeholder: placeholder,
	}
}

// placeholder returns a public key whose private half is forgotten.
func placeholder([]byte) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("generate key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("encode key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(public), nil
}

// webhook is one, of which each action is a member of its own.
type webhook map[string]any

func (w webhook) text(name string) string {
	text, _ := w[name].(string)
	return text
}

func read(w webhook) registration.Webhook {
	posted := []string{}
	for _, name := range events() {
		if on, _ := w[name].(bool); on {
			posted = append(posted, name)
		}
	}
	enabled, said := w["enabled"].(bool)
	return registration.Webhook{ID: w.text("id"), URL: w.text("url"), Events: posted, Disabled: said && !enabled}
}

func body(w *registration.Wanted, present *registration.Webhook) any {
	b := map[string]any{"enabled": true, "url": w.URL}
	for _, name := range events() {
		b[name] = slices.Contains(w.Events, name)
	}
	if present == nil {
		b["friendly_name"] = w.Name
	}
	return b
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {"Bearer " + a.Key}}, Path: settings, Items: "webhooks", Method: http.MethodPatch, Read: read, Body: body,
	}}
}

// List returns all webhooks, which have a path of their own.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	var answer struct {
		Webhooks *[]webhook `json:"webhooks"`
	}
	err := a.Doer.Do(ctx, registration.Request{Path: settings + "/all", Header: a.Header}, &answer)
	if err == nil && answer.Webhooks == nil {
		err = &registration.Error{Kind: registration.Unavailable, Words: "its answer has no list of webhooks"}
	}
	if err != nil {
		return nil, err
	}
	all := make([]registration.Webhook, len(*answer.Webhooks))
	for i, w := range *answer.Webhooks {
		all[i] = read(w)
	}
	return all, nil
}

// Create makes a webhook of actions that SendGrid has.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	if err := registration.CheckEvents(w.Events, events()); err != nil {
		return registration.Webhook{}, err
	}
	return a.Collection.Create(ctx, w)
}

// Update changes a webhook.
func (a *api) Update(ctx context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	if err := registration.CheckEvents(w.Events, events()); err != nil {
		return registration.Webhook{}, err
	}
	return a.Collection.Update(ctx, present, w)
}

// Key returns the public key of a webhook, which is told to sign unless it does.
func (a *api) Key(ctx context.Context, present registration.Webhook) (string, error) {
	var answer struct {
		PublicKey string `json:"public_key"`
	}
	r := registration.Request{Path: signed + url.PathEscape(present.ID), Header: a.Header}
	if err := a.Doer.Do(ctx, r, &answer); err != nil && !registration.IsKind(err, registration.Missing) {
		return "", err
	}
	if answer.PublicKey != "" {
		return answer.PublicKey, nil
	}
	r.Method, r.JSON = http.MethodPatch, json.RawMessage(`{"enabled": true}`)
	err := a.Doer.Do(ctx, r, &answer)
	if err == nil && answer.PublicKey == "" {
		err = &registration.Error{Kind: registration.Unavailable, Words: "it was told to sign and names no key"}
	}
	return answer.PublicKey, err
}
