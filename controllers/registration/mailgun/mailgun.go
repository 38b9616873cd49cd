// Package mailgun registers webhooks of a domain at Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domain-webhooks.
package mailgun

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"

	"github.com/mailvane/mailvane/controllers/registration"
)

// maxURLs is how many URLs each event of a domain may have.
const maxURLs = 3

// Vendor returns what Mailgun's API is like. Each event of a domain has a list of URLs; a webhook here is one URL, with the events that have it.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open:    open,
		Bases:   map[string]string{"": "https://api.mailgun.net", "US": "https://api.mailgun.net", "EU": "https://api.eu.mailgun.net"},
		Carries: registration.Carries{BasicInURL: true},
		Events:  []string{"accepted", "delivered", "temporary_fail", "permanent_fail", "opened", "clicked", "complained", "unsubscribed"},
	}
}

type api struct {
	doer   registration.Doer
	header http.Header
	path   string
}

func open(a registration.Account, doer registration.Doer) registration.API {
	basic := base64.StdEncoding.EncodeToString([]byte("api:" + a.Key))
	return &api{doer, http.Header{"Authorization": {"Basic " + basic}}, "/v3/domains/" + url.PathEscape(a.Name) + "/webhooks"}
}

// urls are those of each event.
type urls map[string][]string

// read returns the URLs of each event. Domains that are older than lists have one in url.
func (a *api) read(ctx context.Context) (urls, error) {
	var answer struct {
		Webhooks *map[string]struct {
			URLs []string `json:"urls"`
			URL  string   `json:"url"`
		} `json:"webhooks"`
	}
	err := a.doer.Do(ctx, registration.Request{Path: a.path, Header: a.header}, &answer)
	if err == nil && answer.Webhooks == nil {
		err = &registration.Error{Kind: registration.Unavailable, Words: "its answer has no webhooks"}
	}
	if err != nil {
		return nil, err
	}
	all := urls{}
	for event, hook := range *answer.Webhooks {
		all[event] = hook.URLs
		if hook.URL != "" && !slices.Contains(hook.URLs, hook.URL) {
			all[event] = append(all[event], hook.URL)
		}
	}
	return all, nil
}

// List returns the URLs of the domain, each with its events.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	all, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	byURL := map[string][]string{}
	for event, list := range all {
		for _, u := range list {
			byURL[u] = append(byURL[u], event)
		}
	}
	var webhooks []registration.Webhook
	for u, events := range byURL {
		webhooks = append(webhooks, registration.Webhook{ID: u, URL: u, Events: events})
	}
	return webhooks, nil
}

// Create adds the URL to each event.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	return a.set(ctx, "", w)
}

// Update puts the URL in the place of the one before, and takes that away from events that are not wanted.
func (a *api) Update(ctx context.Context, present registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	return a.set(ctx, present.URL, w)
}

func (a *api) set(ctx context.Context, before string, w registration.Wanted) (registration.Webhook, error) {
	all, err := a.read(ctx)
	if err != nil {
		return registration.Webhook{}, err
	}
	for _, event := range w.Events {
		list := without(all[event], before, w.URL)
		if len(list) >= maxURLs {
			return registration.Webhook{}, &registration.Error{Kind: registration.Occupied, Words: "the event " + event + " of the domain has three URLs of others already, and no place for a fourth"}
		}
		if err := a.write(ctx, event, all[event], append(list, w.URL)); err != nil {
			return registration.Webhook{}, err
		}
	}
	for event, list := range all {
		if slices.Contains(w.Events, event) {
			continue
		}
		if err := a.write(ctx, event, list, without(list, before, w.URL)); err != nil {
			return registration.Webhook{}, err
		}
	}
	return registration.Webhook{ID: w.URL, URL: w.URL, Events: w.Events}, nil
}

func without(list []string, urls ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(u string) bool { return slices.Contains(urls, u) })
}

// write makes the URLs of an event what they are to be.
func (a *api) write(ctx context.Context, event string, before, after []string) error {
	if slices.Equal(before, after) {
		return nil
	}
	r := registration.Request{Method: http.MethodPut, Path: a.path + "/" + url.PathEscape(event), Form: url.Values{"url": after}, Header: a.header}
	switch {
	case len(after) == 0:
		r.Method, r.Form = http.MethodDelete, nil
	case len(before) == 0:
		r.Method, r.Path, r.Form = http.MethodPost, a.path, url.Values{"id": {event}, "url": after}
	}
	return a.doer.Do(ctx, r, nil)
}

// Delete takes the URL away from every event, and leaves those of others.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	all, err := a.read(ctx)
	if err != nil {
		return err
	}
	for event, list := range all {
		if err := a.write(ctx, event, list, without(list, present.URL)); err != nil && !registration.IsKind(err, registration.Missing) {
			return err
		}
	}
	return nil
}

// Key returns the signing key of the account, which every domain of it has.
func (a *api) Key(ctx context.Context, _ registration.Webhook) (string, error) {
	var answer struct {
		Key string `json:"http_signing_key"`
	}
	err := a.doer.Do(ctx, registration.Request{Path: "/v5/accounts/http_signing_key", Header: a.header}, &answer)
	if registration.IsKind(err, registration.Unauthorized) || registration.IsKind(err, registration.Missing) || (err == nil && answer.Key == "") {
		return "", &registration.Error{
			Kind: registration.Refused, Words: "it has the webhook, and does not tell its signing key to this API key, which may be one of a domain alone: name the signing key in spec.provider.mailgun.signingKeyRefs",
		}
	}
	return answer.Key, err
}
