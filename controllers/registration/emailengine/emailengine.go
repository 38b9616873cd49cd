// Package emailengine registers the webhook of an EmailEngine: https://learn.emailengine.app/docs/receiving/webhooks. An EmailEngine has one, among its settings.
package emailengine

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/controllers/registration"
)

// everything is EmailEngine's word for all events.
const everything = "*"

// Vendor returns what EmailEngine's API is like. It never shows serviceSecret, so that it can only be set.
func Vendor() registration.Vendor {
	return registration.Vendor{
		Open: open, Events: []string{everything}, SetsKey: true, LocalURL: true,
		Carries: registration.Carries{BasicInURL: true, Header: true},
	}
}

type api struct {
	doer   registration.Doer
	header http.Header
}

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{doer, http.Header{"Authorization": {"Bearer " + a.Key}}}
}

// header is a member of webhooksCustomHeaders.
type header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// settings are those of EmailEngine that are about its webhook. What was never set is null.
type settings struct {
	URL     *string  `json:"webhooks,omitempty"`
	Enabled *bool    `json:"webhooksEnabled,omitempty"`
	Events  []string `json:"webhookEvents,omitempty"`
	Headers []header `json:"webhooksCustomHeaders,omitempty"`
	Secret  string   `json:"serviceSecret,omitempty"`
}

func (a *api) read(ctx context.Context) (*settings, error) {
	s := &settings{}
	query := url.Values{"webhooks": {"true"}, "webhooksEnabled": {"true"}, "webhookEvents": {"true"}, "webhooksCustomHeaders": {"true"}}
	return s, a.doer.Do(ctx, registration.Request{Path: "/v1/settings", Query: query, Header: a.header}, s)
}

// List returns the one webhook, if there is one.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	s, err := a.read(ctx)
	if err != nil || s.URL == nil || *s.URL == "" {
		return nil, err
	}
	events := s.Events
	if events == nil {
		events = []string{}
	}
	return []registration.Webhook{{URL: *s.URL, Events: events, Disabled: s.Enabled == nil || !*s.Enabled}}, nil
}

// Create sets the webhook, unless there is one.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	s, err := a.read(ctx)
	if err != nil {
		return registration.Webhook{}, err
	}
	if s.URL != nil && *s.URL != "" {
		return registration.Webhook{}, &registration.Error{
			Kind: registration.Occupied, Words: "its setting webhooks is " + host(*s.URL) + ", and it has no second one: empty it there, or give this endpoint an EmailEngine of its own",
		}
	}
	return a.write(ctx, s, w)
}

// Update sets the webhook.
func (a *api) Update(ctx context.Context, _ registration.Webhook, w registration.Wanted) (registration.Webhook, error) {
	s, err := a.read(ctx)
	if err != nil {
		return registration.Webhook{}, err
	}
	return a.write(ctx, s, w)
}

// write sets what is ours and keeps the headers of others.
func (a *api) write(ctx context.Context, present *settings, w registration.Wanted) (registration.Webhook, error) {
	enabled := true
	s := settings{URL: &w.URL, Enabled: &enabled, Events: w.Events, Secret: w.Key}
	if w.Header != "" {
		s.Headers = slices.DeleteFunc(slices.Clone(present.Headers), func(h header) bool { return strings.EqualFold(h.Key, w.Header) })
		s.Headers = append(s.Headers, header{w.Header, w.HeaderValue})
	}
	err := a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/v1/settings", JSON: s, Header: a.header}, nil)
	return registration.Webhook{URL: w.URL, Events: w.Events}, err
}

// Delete empties the setting. Whether EmailEngine posts at all is left as it is.
func (a *api) Delete(ctx context.Context, present registration.Webhook) error {
	s, err := a.read(ctx)
	if err != nil || s.URL == nil || *s.URL != present.URL {
		return err
	}
	empty := ""
	return a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/v1/settings", JSON: settings{URL: &empty}, Header: a.header}, nil)
}

// host returns what of a URL of somebody else's may be shown: the rest of it may be a credential.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "somebody else's"
	}
	return "somebody else's, at " + u.Host
}
