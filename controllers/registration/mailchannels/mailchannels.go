// Package mailchannels registers webhooks at MailChannels' Email API: https://docs.mailchannels.com/email-api/webhooks.
package mailchannels

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/controllers/registration"
)

// Vendor returns what MailChannels' API is like. It posts every event to every webhook. That it takes user name and password from the URL is not documented.
func Vendor() registration.Vendor {
	return registration.Vendor{Open: open, Bases: map[string]string{"": "https://api.mailchannels.net/tx/v1"}}
}

// maxURL is the length of a URL that MailChannels takes, in characters.
const maxURL = 8000

type api struct {
	doer   registration.Doer
	header http.Header
}

func open(a registration.Account, doer registration.Doer) registration.API {
	return &api{doer, http.Header{"X-Api-Key": {a.Key}}}
}

// List returns the webhooks. MailChannels has no ids for them.
func (a *api) List(ctx context.Context) ([]registration.Webhook, error) {
	var answer []struct {
		Webhook string `json:"webhook"`
	}
	if err := a.doer.Do(ctx, registration.Request{Path: "/webhook", Header: a.header}, &answer); err != nil {
		return nil, err
	}
	all := make([]registration.Webhook, len(answer))
	for i := range answer {
		all[i].URL = answer[i].Webhook
	}
	return all, nil
}

// Create enrols a URL. One that is enrolled is answered with 409.
func (a *api) Create(ctx context.Context, w registration.Wanted) (registration.Webhook, error) {
	if len(w.URL) > maxURL {
		return registration.Webhook{}, &registration.Error{Kind: registration.Refused, Words: "the URL is longer than the " + strconv.Itoa(maxURL) + " characters that it takes"}
	}
	err := a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/webhook", Query: url.Values{"endpoint": {w.URL}}, Header: a.header}, nil)
	return registration.Webhook{URL: w.URL}, err
}

// DeleteAll removes every webhook of the account: MailChannels knows nothing else.
func (a *api) DeleteAll(ctx context.Context) error {
	return a.doer.Do(ctx, registration.Request{Method: http.MethodDelete, Path: "/webhook", Header: a.header}, nil)
}

// Test has MailChannels post an event of type test to every webhook of the account, and returns what it says of one.
func (a *api) Test(ctx context.Context, present registration.Webhook) (registration.Test, error) {
	var answer struct {
		Results []struct {
			Result   string `json:"result"`
			Webhook  string `json:"webhook"`
			Response *struct {
				Status int `json:"status"`
			} `json:"response"`
		} `json:"results"`
	}
	err := a.doer.Do(ctx, registration.Request{Method: http.MethodPost, Path: "/webhook/validate", JSON: struct{}{}, Header: a.header}, &answer)
	if err != nil {
		return registration.Test{}, err
	}
	for _, result := range answer.Results {
		if result.Webhook != present.URL {
			continue
		}
		test := registration.Test{Passed: result.Result == "passed", Words: "it got no answer"}
		if result.Response != nil {
			test.Words = "it was answered " + strconv.Itoa(result.Response.Status)
		}
		return test, nil
	}
	return registration.Test{Words: "it says nothing of this webhook"}, nil
}
