// Package postmark registers webhooks at Postmark: https://postmarkapp.com/developer/api/webhooks-api.
package postmark

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// defaultStream is the message stream that every server has.
const defaultStream = "outbound"

// events are Postmark's triggers.
func events() []string {
	return []string{"Open", "Click", "Delivery", "Bounce", "SpamComplaint", "SubscriptionChange"}
}

// Vendor returns what Postmark's API is like. A webhook belongs to a message stream of a server, of which the key is.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://api.postmarkapp.com"}, Events: events(),
		Carries: registration.Carries{BasicFields: true, Header: true},
	}
}

type trigger struct {
	Enabled bool
}

type webhook struct {
	ID       int64
	URL      string `json:"Url"`
	Triggers map[string]trigger
}

func read(w webhook) registration.Webhook {
	enabled := []string{}
	for name, t := range w.Triggers {
		if t.Enabled {
			enabled = append(enabled, name)
		}
	}
	slices.Sort(enabled)
	return registration.Webhook{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Events: enabled}
}

type api struct{ collection.Collection[webhook] }

func open(a registration.Account, doer registration.Doer) registration.API {
	stream := cmp.Or(a.Name, defaultStream)
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"X-Postmark-Server-Token": {a.Key}}, Path: "/webhooks", Query: url.Values{"MessageStream": {stream}},
		Items: "Webhooks", Method: http.MethodPut, Read: read,
		Body: func(w *registration.Wanted, present *registration.Webhook) any { return body(w, present, stream) },
	}}
}

func body(w *registration.Wanted, present *registration.Webhook, stream string) any {
	triggers := map[string]any{}
	for _, name := range events() {
		triggers[name] = trigger{slices.Contains(w.Events, name)}
	}
	b := map[string]any{"Url": w.URL, "Triggers": triggers}
	if present == nil {
		b["MessageStream"] = stream
	}
	if w.Username != "" {
		b["HttpAuth"] = map[string]string{"Username": w.Username, "Password": w.Password}
	}
	if w.Header != "" {
		b["HttpHeaders"] = []map[string]string{{"Name": w.Header, "Value": w.HeaderValue}}
	}
	return b
}

// Create makes a webhook of triggers that Postmark has.
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
