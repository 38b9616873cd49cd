package jetstream

// Abandon ends the journal as a killed process does: its connection is gone and nothing else happens.
func (j *Journal) Abandon() {
	j.cancel()
	j.session.Load().nc.Close()
	j.group.Wait()
}

// FenceAfter is how long a process that is cut off may hand out events.
const FenceAfter = fenceAfter
