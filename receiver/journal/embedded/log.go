package embedded

import (
	"context"
	"fmt"
	"log/slog"
)

// storeLogger passes on what the store says that an operator should know, and turns what the store takes to be fatal into
// a failure of the journal: the process never exits.
type storeLogger struct {
	log *slog.Logger
	fs  *failStopFS
	// onDamage is told which table could not be read; nil = nobody is.
	onDamage func(path string, err error)
}

// damaged tells of a table that could not be read.
func (l *storeLogger) damaged(path string, err error) {
	if l.onDamage != nil {
		l.onDamage(path, err)
	}
}

// Infof drops the store's chatter.
func (l *storeLogger) Infof(string, ...any) {}

// Errorf logs a problem that the store lives with. After a stop it is only a consequence, such as a table that is missing
// what was not written, and would mislead.
func (l *storeLogger) Errorf(format string, args ...any) {
	if l.fs.isStopped() {
		return
	}
	l.log.Error("journal storage reported an error", "error", fmt.Sprintf(format, args...))
}

// Fatalf stops all further writes and has the journal reopen its store.
func (l *storeLogger) Fatalf(format string, args ...any) {
	_ = l.fs.stop(fmt.Errorf(format, args...)) // it is the end of the store, and no error of this call
}

// Eventf drops traces.
func (l *storeLogger) Eventf(context.Context, string, ...any) {}

// IsTracingEnabled returns false.
func (l *storeLogger) IsTracingEnabled(context.Context) bool { return false }
