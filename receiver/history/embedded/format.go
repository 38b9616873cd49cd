package embedded

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

// formatVersion is the version of the format, in the file [formatFile]. A store with a later one is not opened.
const formatVersion = 1

// The first byte of a key is its table; the next one is the upper bound of its keys. docs/design/011-history.md describes them all.
const (
	tableAttempts = 'a' // event key, sink hash, slot -> attempt
	tableBlocks   = 'b' // block u64 -> neighbouring events
	tableErasures = 'g' // time u64 -> note
	tableMeta     = 'm' // name -> value
	tableRefusals = 'q' // time u64, number u32 -> refusal as JSON
	// The tables of the index: hash of what is looked for, block u64 -> positions.
	tableIDs              = 'I'
	tableRecipients       = 'R'
	tableMessages         = 'M'
	tableProviderMessages = 'P'
	tableEndpoints        = 'E'
	tableTypes            = 'T'
)

const (
	// metaStore names the store to cursors.
	metaStore = "mstore"
	// metaNext holds the next block, the number of events, and the ceiling of their times.
	metaNext = "mnext"
)

const (
	// positionBits is the size of an event's position in its block, in bits: a word has a bit for each.
	positionBits = 6
	blockEvents  = 1 << positionBits
	// blockBytes ends a block: what is read and decompressed at a time. A larger event has its own.
	blockBytes = 64 << 10
	// hashBytes is the length of a hash in the index. What it finds is compared, so that a collision costs a look and no more.
	hashBytes = 6
	// sinkBytes is the length of the hash of a sink's name.
	sinkBytes = 4
	// outcomeSlot is added to an outcome: the latest of each is kept. Of attempts that failed, the slots count the doublings of time.
	outcomeSlot = 0x80
)

var errMalformed = errors.New("the history holds what no release has written")

// place is where an event is: block and position. Places grow in the order in which events were stored.
type place uint64

func placeOf(block uint64, position int) place { return place(block<<positionBits | uint64(position)) }

func (p place) block() uint64 { return uint64(p) >> positionBits }

func (p place) position() int { return int(p & (blockEvents - 1)) }

// term is a prefix of the index: a table and the hash of what is looked for in it.
type term [1 + hashBytes]byte

func termOf(table byte, text string) term {
	var scratch [256]byte
	sum := sha256.Sum256(append(scratch[:0], text...))
	t := term{table}
	copy(t[1:], sum[:])
	return t
}

// terms returns what an event is found by.
func termsOf(f *event.Facts) []term {
	all := make([]term, 0, 6)
	add := func(table byte, text string) {
		if text != "" {
			all = append(all, termOf(table, text))
		}
	}
	add(tableIDs, f.ID)
	add(tableMessages, f.MessageID)
	add(tableProviderMessages, f.ProviderMessageID)
	add(tableEndpoints, event.EndpointOf(f.Source))
	add(tableTypes, f.Type)
	add(tableRecipients, history.FoldAddress(f.Recipient))
	for _, r := range f.Recipients {
		if r != f.Recipient {
			add(tableRecipients, history.FoldAddress(r))
		}
	}
	return all
}

func numberKey(table byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), table), number)
}

func blockKey(block uint64) []byte { return numberKey(tableBlocks, block) }

func lastNumber(key []byte) uint64 {
	if len(key) < 9 {
		return 0
	}
	return binary.BigEndian.Uint64(key[len(key)-8:])
}

func indexKey(t term, block uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, len(t)+8), t[:]...), block)
}

// mask holds positions, one bit each.
type mask uint64

const allPositions = ^mask(0)

// from returns the positions of m from n on.
func (m mask) from(n int) mask { return m &^ (1<<n - 1) }

// until returns the positions of m before n.
func (m mask) until(n int) mask {
	if n >= blockEvents {
		return m
	}
	return m & (1<<n - 1)
}

// encode returns a mask as the value of an index key: most have one position, which takes a byte.
func (m mask) encode() []byte {
	if bits.OnesCount64(uint64(m)) == 1 {
		return []byte{byte(bits.TrailingZeros64(uint64(m)))}
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(m))
}

func decodeMask(value []byte) (mask, error) {
	switch {
	case len(value) == 1 && value[0] < blockEvents:
		return 1 << value[0], nil
	case len(value) == 8:
		return mask(binary.LittleEndian.Uint64(value)), nil
	}
	return 0, errMalformed
}

// block is neighbouring events, which are stored under one key.
type block struct {
	number uint64
	// stamped is the time that its age is counted from, and ceiling no earlier than the acceptance of any event of it or before it.
	stamped, ceiling time.Time
	events           []history.Event
	// facts are those of the events; an event that was erased has none and no payload.
	facts []event.Facts
}

// index returns the index keys of the block, with their positions.
func (b *block) index() []posting {
	var all []posting
	for i := range b.facts {
		if b.events[i].Payload == nil {
			continue
		}
		for _, t := range termsOf(&b.facts[i]) {
			all = append(all, posting{t, 1 << i})
		}
	}
	slices.SortFunc(all, func(a, c posting) int { return slices.Compare(a.term[:], c.term[:]) })
	merged := all[:0]
	for _, p := range all {
		if n := len(merged); n > 0 && merged[n-1].term == p.term {
			merged[n-1].at |= p.at
			continue
		}
		merged = append(merged, p)
	}
	return merged
}

// posting says where in a block a term is.
type posting struct {
	term term
	at   mask
}

const (
	flagSinksUnknown = 1 << 0
	flagErased       = 1 << 1
)

// encode returns the value of the block.
func (b *block) encode(z *compressor) []byte {
	size := 0
	for i := range b.events {
		size += len(b.events[i].Payload) + 32
	}
	plain := make([]byte, 0, size)
	for i := range b.events {
		plain = appendEvent(plain, &b.events[i])
	}
	out := binary.AppendUvarint(nil, uint64(len(b.events)))
	out = binary.AppendUvarint(out, millis(b.stamped))
	out = binary.AppendUvarint(out, millis(b.ceiling))
	return z.compress(out, plain)
}

func appendEvent(out []byte, e *history.Event) []byte {
	flags := byte(0)
	if e.SinksUnknown {
		flags |= flagSinksUnknown
	}
	if e.Payload == nil {
		flags |= flagErased
	}
	out = append(out, flags)
	out = binary.AppendUvarint(out, millis(e.AcceptedAt))
	out = binary.AppendUvarint(out, uint64(len(e.Sinks)))
	for _, s := range e.Sinks {
		out = appendText(out, s)
	}
	return appendText(out, string(e.Payload))
}

// decodeBlock reads what encode wrote. Its payloads share memory.
func decodeBlock(number uint64, value []byte, z *compressor) (*block, error) {
	r := reader{rest: value}
	count := r.uvarint()
	b := &block{number: number, stamped: r.time(), ceiling: r.time()}
	if r.err != nil || count > blockEvents {
		return nil, errMalformed
	}
	plain, err := z.decompress(r.rest)
	if err != nil {
		return nil, errors.Join(errMalformed, err)
	}
	r = reader{rest: plain}
	for range count {
		flags := r.bytes(1)
		e := history.Event{AcceptedAt: r.time()}
		for range min(r.uvarint(), uint64(len(r.rest))) {
			e.Sinks = append(e.Sinks, r.text())
		}
		e.Payload = r.bytes(r.uvarint())
		if r.err != nil {
			return nil, r.err
		}
		e.SinksUnknown = flags[0]&flagSinksUnknown != 0
		if flags[0]&flagErased != 0 {
			e.Payload = nil
		}
		b.events = append(b.events, e)
	}
	return b, nil
}

// readFacts reads the facts of the events at some positions.
func (b *block) readFacts(at mask) error {
	b.facts = make([]event.Facts, len(b.events))
	for i := range b.events {
		if b.events[i].Payload == nil || at&(1<<i) == 0 {
			continue
		}
		var err error
		if b.facts[i], err = event.FactsOf(b.events[i].Payload); err != nil {
			return err
		}
	}
	return nil
}

// attemptKey is the key of what became of an event at a sink. One attempt that failed is kept for each doubling of the event's age, so that an
// outage of days leaves some twenty of them and not thousands.
func attemptKey(a *history.Attempt, s *history.Sent) []byte {
	slot := outcomeSlot | byte(a.Outcome)
	if a.Outcome == history.Failed {
		slot = byte(bits.Len64(uint64(max(a.At.Sub(s.AcceptedAt).Milliseconds(), 0))))
	}
	sum := sha256.Sum256([]byte(a.Sink))
	key := append(make([]byte, 0, 1+len(s.Key)+sinkBytes+1), tableAttempts)
	return append(append(append(key, s.Key[:]...), sum[:sinkBytes]...), slot)
}

// encodeAttempt returns what is the same for all events of an attempt.
func encodeAttempt(a *history.Attempt) []byte {
	out := binary.AppendUvarint([]byte{byte(a.Outcome)}, millis(a.At))
	out = binary.AppendUvarint(out, uint64(max(a.Took.Milliseconds(), 0)))
	return appendText(appendText(out, a.Sink), history.Answer(a.Answer))
}

func decodeAttempt(value []byte) (history.Told, error) {
	r := reader{rest: value}
	outcome := r.bytes(1)
	t := history.Told{At: r.time(), Took: time.Duration(r.uvarint()) * time.Millisecond, Sink: r.text(), Answer: r.text()}
	if r.err != nil {
		return t, r.err
	}
	t.Outcome = history.Outcome(outcome[0])
	return t, nil
}

func sortTold(told []history.Told) {
	slices.SortStableFunc(told, func(a, b history.Told) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Sink, b.Sink)) })
}

func millis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

// reader reads values; after an error it returns nothing more.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.err = nil, errMalformed
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errMalformed
		return nil
	}
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	return part
}

func (r *reader) text() string { return string(r.bytes(r.uvarint())) }

func (r *reader) time() time.Time { return time.UnixMilli(int64(r.uvarint())).UTC() }
