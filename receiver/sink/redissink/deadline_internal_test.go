package redissink

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// unnoticed is a context whose deadline has passed, and which does not know it yet.
type unnoticed struct{ context.Context } //nolint:containedctx // it is one

func (unnoticed) Deadline() (time.Time, bool) { return time.Now(), true }

// TestADeadlineThatTheConnectionNoticesFirst is that of the context.
func TestADeadlineThatTheConnectionNoticesFirst(t *testing.T) {
	t.Parallel()
	if err := outcome(unnoticed{t.Context()}, []error{os.ErrDeadlineExceeded}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := outcome(t.Context(), []error{os.ErrDeadlineExceeded}); errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a time-out of the connection alone: %v", err)
	}
}
