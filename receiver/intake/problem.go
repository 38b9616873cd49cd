package intake

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/mailvane/mailvane/receiver/httpproblem"
)

// problem is an answer other than 200.
type problem = httpproblem.Problem

// after has a problem say when to try again.
func after(p *problem, seconds int) *problem { return p.With("Retry-After", strconv.Itoa(seconds)) }

func notFound() *problem {
	return httpproblem.New(http.StatusNotFound, "unknown-path", "No webhook endpoint here",
		"No endpoint has this path. Compare the URL with status.url of the WebhookEndpoint, or with what mailvane run prints.")
}

func methodNotAllowed(allowed string) *problem {
	p := httpproblem.New(http.StatusMethodNotAllowed, "method", "Method not allowed", "Send webhooks with POST; GET and HEAD only probe the URL.")
	return p.With("Allow", allowed)
}

// unauthorized says nothing about which check failed: that would help only somebody who is guessing.
func unauthorized() *problem {
	// RFC 9110 section 11.6.1 asks for a challenge; it is the same for every endpoint, so that it tells nothing.
	return httpproblem.New(http.StatusUnauthorized, "unauthorized", "Not authenticated", "").With("WWW-Authenticate", `Basic realm="mailvane", charset="UTF-8"`)
}

func tooLarge(limit int64) *problem {
	return httpproblem.New(http.StatusRequestEntityTooLarge, "body-too-large", "Body too large",
		fmt.Sprintf("This endpoint takes bodies of up to %d bytes; its owner can raise spec.maxBodySize.", limit))
}

func encoded() *problem {
	return httpproblem.New(http.StatusUnsupportedMediaType, "content-encoding", "Encoded body", "Send the body without Content-Encoding.").
		With("Accept-Encoding", "identity") // RFC 9110 section 15.5.16
}

func badBody(detail string) *problem {
	return httpproblem.New(http.StatusBadRequest, "incomplete-body", "Incomplete body", detail)
}

// slowBody is no 408, after which Webex Connect does not send an event again.
func slowBody() *problem {
	return unavailable("slow-body", "The body took too long. Send it faster.", retryAfterBusy)
}

func busyEndpoint() *problem {
	return after(httpproblem.New(http.StatusTooManyRequests, "endpoint-busy", "Too many requests at once", "Too many bytes of this endpoint are in flight. Retry later."), retryAfterBusy)
}

func unavailable(name, detail string, retryAfter int) *problem {
	return after(httpproblem.New(http.StatusServiceUnavailable, name, "Not available", detail), retryAfter)
}
