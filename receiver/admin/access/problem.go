package access

import (
	"fmt"
	"net/http"

	"github.com/mailvane/mailvane/receiver/httpproblem"
)

type problem = httpproblem.Problem

func unauthorized() *problem {
	return httpproblem.New(http.StatusUnauthorized, "admin-token", "Not authenticated", "The admin API asks for a token: Authorization: Bearer TOKEN.").
		With("WWW-Authenticate", `Bearer realm="mailvane"`) // RFC 6750 section 3
}

// NotAllowed says which right something needs that the right of the token does not give.
func NotAllowed(needed, has Right) *httpproblem.Problem {
	return httpproblem.New(http.StatusForbidden, "admin-right", "Not allowed", fmt.Sprintf("This needs the right %s; the token gives the right %s.", needed, has))
}

func foreignHost() *problem {
	return httpproblem.New(http.StatusForbidden, "foreign-host", "Foreign host", "The Host header must be localhost, or the address that the admin API listens on.")
}

func foreignOrigin() *problem {
	return httpproblem.New(http.StatusForbidden, "foreign-origin", "Foreign origin", "The admin API takes no requests from pages of other sites.")
}
