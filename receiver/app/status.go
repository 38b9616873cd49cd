package app

// Status is what a receiver holds.
type Status struct {
	// Pending counts the deliveries that are owed, over all sinks.
	Pending int64
	// DeadLetters counts the dead letters.
	DeadLetters int64
}

// Status returns what the receiver holds now.
func (r *Receiver) Status() Status {
	s := r.options.Journal.Stats()
	return Status{Pending: pendingTotal(s), DeadLetters: s.DeadLetters}
}
