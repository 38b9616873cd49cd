package embedded

import (
	"encoding/binary"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The first byte of a key is its table. docs/design/001-embedded-journal.md describes them all.
const (
	tableDedupe      = 'd' // generation u32, hash -> nothing
	tableEvents      = 'e' // bundle u64 -> header and payloads
	tableMeta        = 'm' // name -> value
	tableOwed        = 'p' // sink u32, bundle u64 -> the events that are owed, and what is scheduled of them
	tableSchedule    = 'r' // sink u32, epoch u64, due u64, sequence u64 -> nothing
	tableSinks       = 's' // name -> sink u32
	tableDeadLetters = 'x' // id u64 -> description
	tablePayloads    = 'y' // id u64 -> payload
)

// The names in tableMeta.
const (
	metaFormat = "mformat"
	metaEpoch  = "mepoch"
	// metaNext holds the next bundle and the next dead letter as the committer knows them.
	metaNext = "mnext"
	// metaNextDead holds the next dead letter as settlements know it. It is apart because the two are written concurrently.
	metaNextDead = "mnextdead"
	// metaWindow holds the length of a generation of dedupe keys, in milliseconds.
	metaWindow = "mwindow"
	// metaAge holds what the clock of what is removed because of its age said last, in milliseconds.
	metaAge = "mage"
)

const dedupeHashBytes = len(dedupeHash{})

type dedupeHash = journal.KeyHash

func dedupeKey(generation uint32, hash dedupeHash) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 5+dedupeHashBytes), tableDedupe), generation)
	return append(k, hash[:]...)
}

func generationKey(generation uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{tableDedupe}, generation)
}

func numberKey(table byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), table), number)
}

func bundleKey(bundle uint64) []byte { return numberKey(tableEvents, bundle) }

func owedKey(sink uint32, bundle uint64) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 13), tableOwed), sink)
	return binary.BigEndian.AppendUint64(k, bundle)
}

// when is what a schedule sorts by. The epoch counts the openings of the store: what was scheduled in an earlier one is due at
// once, in the order of the sequences, and its time means nothing any more.
type when struct{ epoch, due uint64 }

// scheduleKey sorts by epoch, by due time and, within one millisecond, by sequence.
func scheduleKey(sink uint32, at when, sequence uint64) []byte {
	k := binary.BigEndian.AppendUint64(schedulePrefix(sink, at.epoch), at.due)
	return binary.BigEndian.AppendUint64(k, sequence)
}

// schedulePrefix is the lower bound of a sink's schedule of one epoch; that of the next epoch is its upper bound.
func schedulePrefix(sink uint32, epoch uint64) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 29), tableSchedule), sink)
	return binary.BigEndian.AppendUint64(k, epoch)
}

const maxSinkID = 1<<32 - 1

func sinkKey(name string) []byte { return append([]byte{tableSinks}, name...) }

// lastNumber reads the id at the end of a key; the key has been read from the table that it belongs to.
func lastNumber(key []byte) (uint64, bool) {
	if len(key) < 9 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]), true
}

// parseScheduleKey returns the due time and the sequence.
func parseScheduleKey(key []byte) (due, sequence uint64, ok bool) {
	if len(key) != 29 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(key[13:]), binary.BigEndian.Uint64(key[21:]), true
}

// parseOwedKey returns the sink and the bundle.
func parseOwedKey(key []byte) (sink uint32, bundle uint64, ok bool) {
	if len(key) != 13 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint64(key[5:]), true
}

// after returns the smallest key that is larger than key.
func after(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), key...), 0)
}
