// Package mailjet registers event callback URLs at Mailjet: https://dev.mailjet.com/email/reference/webhook/.
package mailjet

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
)

const (
	path = "/eventcallbackurl"
	// grouped is the version of callbacks that post several events together.
	grouped = 2
	// alive is the status of a callback that posts.
	alive = "alive"
	// all is more than there can be: Mailjet shows ten unless it is asked for more.
	all = "1000"
)

// Vendor returns what Mailjet's API is like. Each kind of event has one URL; a webhook here is one URL, with the kinds that have it.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Bases: map[string]string{"": "https://api.mailjet.com/v3/REST"},
		Carries: registration.Carries{BasicInURL: true},
		Events:  []string{"sent", "open", "click", "bounce", "blocked", "spam", "unsub"},
	}
}

type api struct {
	doer   registration.Doer
	header http.Header
}

func open(a registration.Account, doer registration.Doer) registration.API {
	basic := base64.StdEncoding.EncodeToString([]byte(a.Name + ":" + a.Key))
	return &api{doer, http.Header{"Authorization": {"Basic " + basic}}}
}

// callback is the URL of a kind of events.
type callback struct {
	ID        int64
	EventType string
	URL       string `json:"Url"`
	Status    string
	IsBackup  bool
}

func (a *api) read(ctx context.Context) ([]callback, error) {
	var answer struct{ Data *[]callback }
	err := a.doer.Do(ctx, registration.Request{Path: path, Query: url.Values{"Limit": {all}}, Header: a.header}, &answer)
	if err == nil && answer.Data == nil {
		err = &registration.Error{Kind: registration.Unavailable, Words: "its answer has no Data"}
	}
	if err != nil {
		return nil, err
	}
	// A backup gets what the first URL does not take. None is kept here.
	return slices.DeleteFunc(*answer.Data, func(c callback) bool { return c.IsBackup }), nil
}

// List returns the URLs, each with its kinds of events. A kind that is not alive is one that the URL has not.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	callbacks, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	var webhooks []registration.Webhook
	for _, c := range callbacks {
		i := slices.IndexFunc(webhooks, func(w registration.Webhook) bool { return w.URL == c.URL })
		if i < 0 {
			i, webhooks = len(webhooks), append(webhooks, registration.Webhook{ID: c.URL, URL: c.URL, Events: []string{}})
		}
		webhooks[i].Events = append(webhooks[i].Events, c.EventType)
		webhooks[i].Disabled = webhooks[i].Disabled || (c.Status != "" && c.Status != alive)
	}
	return webhooks, nil
}

// Create sets the URL of each kind.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	return a.set(ctx, w.URL, w)
}

// Update puts the URL in the place of the one before.
func (a *api) Update(ctx context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	return a.set(ctx, present.URL, w)
}

func (a *api) set(ctx context.Context, before string, w registration.Wanted) (registration.Webhook, error) {
	callbacks, err := a.read(ctx)
	if err != nil {
		return registration.Webhook{}, err
	}
	ours, err := split(callbacks, before, &w)
	if err != nil {
		return registration.Webhook{}, err
	}
	for _, event := range w.Events {
		if err := a.write(ctx, event, ours, w.URL); err != nil {
			return registration.Webhook{}, err
		}
	}
	for event, c := range ours {
		if slices.Contains(w.Events, event) {
			continue
		}
		if err := a.delete(ctx, c); err != nil {
			return registration.Webhook{}, err
		}
	}
	return registration.Webhook{ID: w.URL, URL: w.URL, Events: w.Events}, nil
}

// split returns the callbacks that are ours, by kind. That somebody else has a kind that is wanted is an error.
func split(callbacks []callback, before string, w *registration.Wanted) (map[string]callback, error) {
	ours := map[string]callback{}
	for _, c := range callbacks {
		isOurs := c.URL == before || c.URL == w.URL
		if !isOurs && slices.Contains(w.Events, c.EventType) {
			return nil, &registration.Error{Kind: registration.Occupied, Words: "the kind " + c.EventType + " has somebody else's URL, at " + host(c.URL) +
				", and each has one: remove it there, or leave the kind out of spec.registration.events"}
		}
		if isOurs {
			ours[c.EventType] = c
		}
	}
	return ours, nil
}

// write makes the URL of a kind what it is to be.
func (a *api) write(ctx context.Context, event string, ours map[string]callback, target string) error {
	body := map[string]any{"EventType": event, "Url": target, "Version": grouped, "Status": alive}
	present, there := ours[event]
	switch {
	case !there:
		return a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: path, JSON: body, Header: a.header}, nil)
	case present.URL == target && (present.Status == "" || present.Status == alive):
		return nil
	}
	return a.doer.Do(ctx, registration.Request{Method: http.MethodPut, Path: one(present), JSON: body, Header: a.header}, nil)
}

func one(c callback) string { return path + "/" + strconv.FormatInt(c.ID, 10) }

func (a *api) delete(ctx context.Context, c callback) error {
	err := a.doer.Do(ctx, registration.Request{Method: http.MethodDelete, Path: one(c), Header: a.header}, nil)
	if registration.IsKind(err, registration.Missing) {
		return nil
	}
	return err
}

// Delete removes the URL from each kind.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	callbacks, err := a.read(ctx)
	if err != nil {
		return err
	}
	for _, c := range callbacks {
		if c.URL != present.URL {
			continue
		}
		if err := a.delete(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// host returns what of a URL of somebody else's may be shown: the rest of it may be a credential.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "an address that cannot be read"
	}
	return u.Host
}
