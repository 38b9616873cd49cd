package embedded

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// TestTheFormatBeforeIsRead opens a store that the release before has written, which this one marks as its own.
func TestTheFormatBeforeIsRead(t *testing.T) {
	t.Parallel()
	o := Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)}
	for _, found := range []string{format.VersionBefore, "2"} {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.db.Set([]byte(format.MetaFormat), []byte(found), pebble.Sync), j.Close()); err != nil {
			t.Fatal(err)
		}
		j, err = Open(o)
		if (err == nil) != (found == format.VersionBefore) {
			t.Errorf("format %s: %v", found, err)
		}
		if err != nil {
			continue
		}
		if value, err := store.Get(j.db, []byte(format.MetaFormat)); err != nil || string(value) != format.Version {
			t.Errorf("marked as %q, %v", value, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}
