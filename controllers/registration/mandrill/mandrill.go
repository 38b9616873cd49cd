// Package mandrill registers webhooks at Mailchimp Transactional, formerly Mandrill: https://mailchimp.com/developer/transactional/api/webhooks/.
package mandrill

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
)

// Vendor returns what Mandrill's API is like: every request is a POST with the key in its body. A webhook has a key of its own. Mandrill asks the URL whether it is there
// before it takes a webhook.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://mandrillapp.com/api/1.0"},
		Carries: registration.Carries{BasicInURL: true},
		Events:  []string{"send", "deferral", "hard_bounce", "soft_bounce", "delivered", "open", "click", "spam", "unsub", "reject"},
	}
}

type webhook struct {
	ID     int64    `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Key    string   `json:"auth_key"`
}

func (w *webhook) read() registration.Webhook {
	return registration.Webhook{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Events: w.Events, Key: w.Key}
}

type api struct {
	doer registration.Doer
	key  string
}

func open(a registration.Account, doer registration.Doer) registration.API { return &api{doer, a.Key} }

// do calls a method. Mandrill answers 500 whatever is wrong, and says by a name what.
func (a *api) do(ctx context.Context, method string, body map[string]any, out any) error {
	body["key"] = a.key
	err := a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/webhooks/" + method + ".json", JSON: body}, out)
	if failed, ok := errors.AsType[*registration.Error](err); ok {
		switch failed.Code {
		case "Invalid_Key", "PaymentRequired":
			failed.Kind = registration.Unauthorized
		case "ValidationError":
			failed.Kind = registration.Refused
		case "Unknown_Webhook":
			failed.Kind = registration.Missing
		}
	}
	return err
}

// List returns the webhooks, with their keys.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	var answer []webhook
	if err := a.do(ctx, "list", map[string]any{}, &answer); err != nil {
		return nil, err
	}
	all := make([]registration.Webhook, len(answer))
	for i := range answer {
		all[i] = answer[i].read()
	}
	return all, nil
}

// Create adds a webhook.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	var made webhook
	err := a.do(ctx, "add", map[string]any{"url": w.URL, "description": w.Name, "events": w.Events}, &made)
	return made.read(), err
}

// Update changes a webhook, which keeps its key.
func (a *api) Update(ctx context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	id, err := idOf(present)
	if err != nil {
		return registration.Webhook{}, err
	}
	var changed webhook
	err = a.do(ctx, "update", map[string]any{"id": id, "url": w.URL, "description": w.Name, "events": w.Events}, &changed)
	return changed.read(), err
}

// Delete removes a webhook.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	id, err := idOf(present)
	if err != nil {
		return err
	}
	return a.do(ctx, "delete", map[string]any{"id": id}, nil)
}

func idOf(w registration.Webhook) (int64, error) {
	id, err := strconv.ParseInt(w.ID, 10, 64)
	if err != nil {
		return 0, &registration.Error{Kind: registration.Unavailable, Words: "the id of its webhook is no number"}
	}
	return id, nil
}

// Key returns that of the list, which every answer has.
func (a *api) Key(_ context.Context, present registration.Webhook) (string, error) {
	return present.Key, nil
}
