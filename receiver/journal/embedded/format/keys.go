package format

import (
	"encoding/binary"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The first byte of a key is its table; the next one is the upper bound of its keys. docs/design/001-embedded-journal.md describes them all.
const (
	TableDedupe      = 'd' // generation u32, hash -> nothing
	TableEvents      = 'e' // bundle u64 -> header and payloads
	TableMeta        = 'm' // name -> value
	TableOwed        = 'p' // sink u32, bundle u64 -> the events that are owed, and what is scheduled of them
	TableSchedule    = 'r' // sink u32, epoch u64, due u64, sequence u64 -> nothing
	TableSinks       = 's' // name -> sink u32
	TableDeadLetters = 'x' // id u64 -> description
	TablePayloads    = 'y' // id u64 -> payload
)

// The keys in TableMeta.
const (
	MetaFormat = "mformat"
	MetaEpoch  = "mepoch"
	// MetaNext holds the next bundle and the next dead letter as the committer knows them.
	MetaNext = "mnext"
	// MetaNextDead holds the next dead letter as settlements know it. It is apart because the two are written concurrently.
	MetaNextDead = "mnextdead"
	// MetaWindow holds the length of a generation of dedupe keys, in milliseconds.
	MetaWindow = "mwindow"
	// MetaAge holds what the clock of what is removed because of its age said last, in milliseconds.
	MetaAge = "mage"
)

const dedupeHashBytes = len(journal.KeyHash{})

// DedupeKey is the key of a dedupe key, in TableDedupe. It sorts by generation, the number of the window that it was stored in.
func DedupeKey(generation uint32, hash journal.KeyHash) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 5+dedupeHashBytes), TableDedupe), generation)
	return append(k, hash[:]...)
}

// ParseDedupeKey returns the generation and the hash; ok is false when key is none of [DedupeKey].
func ParseDedupeKey(key []byte) (generation uint32, hash journal.KeyHash, ok bool) {
	if len(key) != 5+dedupeHashBytes {
		return 0, hash, false
	}
	return binary.BigEndian.Uint32(key[1:]), journal.KeyHash(key[5:]), true
}

// GenerationKey is the lower bound of the dedupe keys of a generation; that of the next generation is their upper bound.
func GenerationKey(generation uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{TableDedupe}, generation)
}

// NumberKey is the key of a number in a table whose keys hold nothing else. [LastNumber] reads it.
func NumberKey(table byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), table), number)
}

// BundleKey is the key of a bundle, in TableEvents.
func BundleKey(bundle uint64) []byte { return NumberKey(TableEvents, bundle) }

// OwedKey is the key of what a sink is owed of a bundle, in TableOwed. [ParseOwedKey] reads it.
func OwedKey(sink uint32, bundle uint64) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 13), TableOwed), sink)
	return binary.BigEndian.AppendUint64(k, bundle)
}

// When is what a schedule sorts by. The epoch counts the openings of the store: what was scheduled in an earlier one is due at
// once, in the order of the sequences, and its time means nothing any more. Due is in milliseconds since 1970.
type When struct{ Epoch, Due uint64 }

// ScheduleKey sorts by epoch, by due time and, within one millisecond, by sequence.
func ScheduleKey(sink uint32, at When, sequence uint64) []byte {
	k := binary.BigEndian.AppendUint64(SchedulePrefix(sink, at.Epoch), at.Due)
	return binary.BigEndian.AppendUint64(k, sequence)
}

// SchedulePrefix is the lower bound of a sink's schedule of one epoch; that of the next epoch is its upper bound.
func SchedulePrefix(sink uint32, epoch uint64) []byte {
	k := binary.BigEndian.AppendUint32(append(make([]byte, 0, 29), TableSchedule), sink)
	return binary.BigEndian.AppendUint64(k, epoch)
}

// SinkKey is the key of the id of a sink, which DecodeSink reads with its value.
func SinkKey(name string) []byte { return append([]byte{TableSinks}, name...) }

// LastNumber reads the number at the end of a key, which has been read from the table that it belongs to; ok is false when it is too short.
func LastNumber(key []byte) (number uint64, ok bool) {
	if len(key) < 9 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]), true
}

// ParseScheduleKey returns the due time, in milliseconds since 1970, and the sequence; ok is false when key is none of [ScheduleKey].
func ParseScheduleKey(key []byte) (due, sequence uint64, ok bool) {
	if len(key) != 29 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(key[13:]), binary.BigEndian.Uint64(key[21:]), true
}

// ParseOwedKey returns the sink and the bundle; ok is false when key is none of [OwedKey].
func ParseOwedKey(key []byte) (sink uint32, bundle uint64, ok bool) {
	if len(key) != 13 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint64(key[5:]), true
}

// After returns the smallest key that is larger than key.
func After(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), key...), 0)
}
