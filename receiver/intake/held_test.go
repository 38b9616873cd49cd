package intake_test

import (
	"context"

	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
)

// heldJournal stores what it is given when it is let to.
type heldJournal struct {
	intake.Appender
	arrived chan chan struct{} // gets what is to be closed for each batch
}

func (j *heldJournal) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	let := make(chan struct{})
	j.arrived <- let
	<-let
	return j.Appender.Append(ctx, b)
}
