package jetstream_test

import (
	"slices"
	"testing"

	client "github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

// TestNothingOvertakesWhatIsRefused refuses one event of a request whose events are published alone, because one is a duplicate.
func TestNothingOvertakesWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"too many batches": jetstream.ErrTooManyBatches,
		"no responders":    client.ErrNoResponders,
		"no leader":        jetstream.ErrNoLeader,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t, options(startServers(t, nats.Options{Servers: 1})))
			_, err := j.Append(t.Context(), batch(entry("0", sinkA)))
			mustDo(t, err)
			j.RefuseOnce("1", refusal)
			eventually(t, "all are stored", func() bool {
				_, err := j.Append(t.Context(), batch(entry("0", sinkA), entry("1", sinkA), entry("2", sinkA), entry("3", sinkA)))
				return err == nil
			})
			var got []string
			for _, d := range fetchAll(t, j, 4) {
				got = append(got, string(d.Payload))
			}
			if want := []string{"0", "1", "2", "3"}; !slices.Equal(got, want) {
				t.Errorf("stored as %v, want %v", got, want)
			}
		})
	}
}
