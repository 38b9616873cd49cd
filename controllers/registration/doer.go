package registration

import (
	"context"
	"net/http"
	"net/url"
)

// Doer makes requests of one account, one at a time. It is package rest's in the manager.
type Doer interface {
	// Do makes a request and decodes the JSON of its answer into out, unless that is nil. It returns an [Error] for everything but a 2xx.
	Do(ctx context.Context, r Request, out any) error
}

// Request is one to a provider's API.
type Request struct {
	// Method is GET unless set.
	Method string
	// Path is below the base URL and begins with a slash. What is not fixed in it is escaped.
	Path string
	// Query is that of the URL.
	Query url.Values
	// JSON is the body; nil = none, or Form.
	JSON any
	// Form is the body where the API takes one.
	Form url.Values
	// Header holds what authenticates the request.
	Header http.Header
}
