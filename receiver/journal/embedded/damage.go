package embedded

import (
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/damage"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// found reports damage once.
func (j *Journal) found(d damage.Finding) {
	j.opts.Logger.Error("a file of the journal is damaged; what can be read of it is used", "file", d.File, "kept", folder.Damaged, "found", d.Reason)
	j.losses.FindKept(j.opts.FS, j.opts.Dir)
}

// suspect has the committer close the store and repair a table that could not be read.
func (j *Journal) suspect(path string, err error) {
	j.losses.Suspect(path)
	j.fail(fmt.Errorf("%s cannot be read and will be repaired: %w", path, err))
}

// recheck has the committer close the store, and open it with a check of what is in it.
func (j *Journal) recheck(err error) {
	j.fail(errors.Join(err, folder.MarkRecheck(j.opts.FS, j.opts.Dir)))
}

// failOrRecheck looks whether what is stored is not what it should be, which opening the store anew does not change.
func (j *Journal) failOrRecheck(err error) {
	if errors.Is(err, format.ErrMalformed) || errors.Is(err, journal.ErrNotFound) {
		j.recheck(err)
		return
	}
	j.fail(err)
}

// repairTables replaces the tables that could not be read by what can be read of them. The store is closed. It returns whether there was
// anything to repair.
func (j *Journal) repairTables() (repaired bool, err error) {
	for _, path := range j.losses.TakeSuspects() {
		found, err := damage.RepairTable(j.opts.FS, path, store.FileOptions(j.opts.FS, j.opts.store()))
		if err != nil {
			j.losses.Suspect(path)
			return repaired, fmt.Errorf("repair %s: %w", path, err)
		}
		if found != nil {
			j.found(*found)
			repaired = true
		}
	}
	return repaired, nil
}
