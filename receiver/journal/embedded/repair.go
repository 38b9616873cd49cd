package embedded

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The pauses between attempts to reopen a store that failed.
const (
	minRepairPause = 50 * time.Millisecond
	maxRepairPause = 30 * time.Second
)

// fail makes the journal unavailable and has the committer reopen the store. Only the first cause counts.
func (j *Journal) fail(err error) {
	if j.cause.CompareAndSwap(nil, &err) {
		j.opts.Logger.Error("journal storage failed; it is unavailable until it can be reopened", "error", err)
	}
	select {
	case j.failed <- struct{}{}:
	default:
	}
}

// repair closes the store that failed and opens it anew, with growing pauses. It returns false when the journal is closed
// meanwhile. It runs on the committer, with no group in flight.
func (j *Journal) repair() bool {
	if err := j.closeStore(); err != nil {
		j.opts.Logger.Warn("journal store that failed did not close cleanly", "error", err)
	}
	for pause := j.firstPause(); ; pause = min(2*pause, maxRepairPause) {
		j.pause = pause
		if !j.refuseFor(pause) {
			return false
		}
		repaired, err := j.repairTables()
		if repaired {
			pause = minRepairPause // one damaged table after the other is found, each once
		}
		if err == nil {
			err = j.openStore()
		}
		if err == nil {
			j.pause, j.repaired = pause, time.Now()
			break
		}
		err = fmt.Errorf("reopen: %w", err)
		j.cause.Store(&err)
		j.opts.Logger.Error("journal cannot be reopened", "error", err, "retry", min(2*pause, maxRepairPause))
	}
	j.opts.Logger.Info("journal is available again")
	j.queues.wakeAll()
	return true
}

// firstPause grows as long as the store fails soon after it was opened: a store that is opened again and again takes nothing for all
// that, and each time ends all leases.
func (j *Journal) firstPause() time.Duration {
	if j.pause == 0 || time.Since(j.repaired) > maxRepairPause {
		return minRepairPause
	}
	return min(2*j.pause, maxRepairPause)
}

// refuseFor answers appends for d. It returns false when the journal is closed.
func (j *Journal) refuseFor(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-j.arrivals.some:
			j.arrivals.refuse(j.unavailable())
		case <-timer.C:
			return true
		case <-j.closing:
			return false
		}
	}
}

// unavailable wraps the cause; it is for those who know that there is one or that there was one.
func (j *Journal) unavailable() error {
	if err := j.refusal(); err != nil {
		return err
	}
	return journal.ErrUnavailable
}
