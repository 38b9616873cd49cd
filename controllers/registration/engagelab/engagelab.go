// Package engagelab registers webhooks at EngageLab Email: https://www.engagelab.com/docs/email/rest-api/WebHooks.
package engagelab

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/collection"
)

// Vendor returns what EngageLab's API is like. It calls events by numbers, which its page does not explain; SendCloud's, whose they are, does. The path by which a webhook is changed
// is not documented beyond doubt, so that none is: another one is made in its place.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open,
		Bases: map[string]string{
			"": "https://email.api.engagelab.cc/v1", "Singapore": "https://email.api.engagelab.cc/v1", "Turkey": "https://emailapi-tr.engagelab.com/v1",
		},
		Events: []string{"1", "3", "4", "5", "10", "11", "12", "18"},
	}
}

type webhook struct {
	ID     int64  `json:"id"`
	URL    string `json:"url"`
	Events []int  `json:"event"`
}

func read(w webhook) registration.Webhook {
	events := make([]string, len(w.Events))
	for i, event := range w.Events {
		events[i] = strconv.Itoa(event)
	}
	return registration.Webhook{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Events: events}
}

// api has no Update.
type api struct {
	webhooks collection.Collection[webhook]
	user     string
}

func open(a registration.Account, doer registration.Doer) registration.API {
	basic := base64.StdEncoding.EncodeToString([]byte(a.Name + ":" + a.Key))
	return &api{collection.Collection[webhook]{
		Doer: doer, Header: http.Header{"Authorization": {"Basic " + basic}}, Path: "/webhooks", Query: url.Values{"api_user": {a.Name}}, Items: "result", Read: read,
		Page: func(page int, _ string) url.Values {
			return url.Values{"offset": {strconv.Itoa(page * collection.PageSize)}, "limit": {strconv.Itoa(collection.PageSize)}}
		},
	}, a.Name}
}

// List returns the webhooks of the API user.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) { return a.webhooks.List(ctx) }

// Create makes a webhook. What it is answered with is not relied on: the list tells.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	events := make([]int, len(w.Events))
	for i, event := range w.Events {
		number, err := strconv.Atoi(event)
		if err != nil {
			return registration.Webhook{}, &registration.Error{Kind: registration.Refused, Words: "its events are numbers, such as 1 for delivered, and " + strconv.Quote(event) + " is none"}
		}
		events[i] = number
	}
	body := map[string]any{"url": w.URL, "event": events, "api_user": a.user}
	err := a.webhooks.Doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: a.webhooks.Path, JSON: body, Header: a.webhooks.Header}, nil)
	return registration.Webhook{URL: w.URL}, err
}

// Delete removes a webhook.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	return a.webhooks.Delete(ctx, present)
}
