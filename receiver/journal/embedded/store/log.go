package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

// logger passes on what the store says that an operator should know, and turns what the store takes to be fatal into
// a failure of the journal: the process never exits.
type logger struct {
	log *slog.Logger
	fs  *failstop.FS
	// onDamage is told which table could not be read; nil = nobody is.
	onDamage func(path string, err error)
}

// damaged tells of a table that could not be read.
func (l *logger) damaged(path string, err error) {
	if l.onDamage != nil {
		l.onDamage(path, err)
	}
}

// Infof drops the store's chatter.
func (l *logger) Infof(string, ...any) {}

// Errorf logs a problem that the store lives with. After a stop it is only a consequence, such as a table that is missing
// what was not written, and would mislead.
func (l *logger) Errorf(format string, args ...any) {
	if l.fs.Stopped() {
		return
	}
	l.log.Error("journal storage reported an error", "error", oneLine(fmt.Sprintf(format, plain(args)...)))
}

// Fatalf stops all further writes and has the journal reopen its store.
func (l *logger) Fatalf(format string, args ...any) {
	_ = l.fs.Stop(errors.New(oneLine(fmt.Sprintf(format, plain(args)...)))) // it is the end of the store, and no error of this call
}

// plain returns arguments of a format with the texts of errors in their place: the store's write their stack trace for %+v.
func plain(args []any) []any {
	texts := slices.Clone(args)
	for i, a := range texts {
		if err, ok := a.(error); ok {
			texts[i] = err.Error()
		}
	}
	return texts
}

// oneLine returns a text of several lines as one.
func oneLine(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ") }

// Error is an error of the store, which may be several, on one line.
type Error struct{ Err error }

// Error says what is wrong.
func (e *Error) Error() string { return oneLine(e.Err.Error()) }

// Unwrap returns the error of the store.
func (e *Error) Unwrap() error { return e.Err }

// Eventf drops traces.
func (l *logger) Eventf(context.Context, string, ...any) {}

// IsTracingEnabled returns false.
func (l *logger) IsTracingEnabled(context.Context) bool { return false }
