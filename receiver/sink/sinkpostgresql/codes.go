package sinkpostgresql

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The codes of PostgreSQL's errors that mean something to sinks, and classes of them (PostgreSQL manual, appendix A).
const (
	CodeNoSchema     = "3F000"
	CodeNoTable      = "42P01"
	CodeNotPermitted = "42501"
	CodeCheckFailed  = "23514"
	CodeReadOnly     = "25006"

	ClassData   = "22"
	ClassLimits = "54"

	codeNoDatabase     = "3D000"
	classAuthorization = "28"
)

// CodeOf returns the code of an error that a server has answered with; "" = it is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// IsOfClass reports whether a code is of a class.
func IsOfClass(code, class string) bool { return strings.HasPrefix(code, class) }
