// Package publish stores messages as atomic batches (NATS architecture decision record 50): what belongs together is stored as a whole or not at
// all, and never in another order than it was handed over.
package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/mailvane/mailvane/receiver/journal"
)

// Timeout bounds an Append: providers give up after 3 s and more, and a request must not wait for an election.
const Timeout = 4 * time.Second

// MaxPending bounds the publishes that wait for an answer.
const MaxPending = 16384

// The headers of an atomic batch (NATS architecture decision record 50).
const (
	HeaderBatch         = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// The error codes of the servers that mean something to us (server/errors.json of nats-server).
const (
	CodeNoLeader        jetstream.ErrorCode = 10008 // JSClusterNotAvailErr
	codeNoResources     jetstream.ErrorCode = 10023 // JSInsufficientResourcesErr
	codeNoStorage       jetstream.ErrorCode = 10047 // JSStorageResourcesExceededErr
	codeAccountFull     jetstream.ErrorCode = 10002 // JSAccountResourcesExceededErr
	codeStoreFailed     jetstream.ErrorCode = 10077 // JSStreamStoreFailedF
	CodeNotUnique       jetstream.ErrorCode = 10100 // JSConsumerWQConsumerNotUniqueErr
	codeInProcess       jetstream.ErrorCode = 10158 // JSStreamDuplicateMessageConflict
	codeIncompleteBatch jetstream.ErrorCode = 10176 // JSAtomicPublishIncompleteBatchErr
	codeDuplicate       jetstream.ErrorCode = 10201 // JSAtomicPublishContainsDuplicateMessageErr
	CodeTooManyBatches  jetstream.ErrorCode = 10210 // JSAtomicPublishTooManyInflight
)

// Sender sends messages over one connection.
type Sender interface {
	// Send publishes messages, all or none, without waiting for the answer.
	Send(messages []*nats.Msg) (jetstream.PubAckFuture, error)
	// Explain adds to an error what is known of its cause.
	Explain(err error) error
}

// Send publishes messages as one atomic batch, or a single one alone. What is sent first is stored first. It does not wait for the answer.
func Send(nc *nats.Conn, js jetstream.JetStream, messages []*nats.Msg) (jetstream.PubAckFuture, error) {
	batch := ""
	if len(messages) > 1 {
		batch = nuid.Next()
	}
	for i, m := range messages {
		stamp(m, batch, i+1, i == len(messages)-1)
	}
	last := len(messages) - 1
	for _, m := range messages[:last] {
		if err := nc.PublishMsg(m); err != nil {
			return nil, err
		}
	}
	return js.PublishMsgAsync(messages[last], jetstream.WithRetryAttempts(0))
}

// answer waits until what was sent is stored. duplicate says that one of the messages carries a key that is stored already; then none was
// stored.
func answer(ctx context.Context, sent jetstream.PubAckFuture) (duplicate bool, err error) {
	select {
	case ack := <-sent.Ok():
		return ack.Duplicate, nil
	case err := <-sent.Err():
		if CodeOf(err) == codeDuplicate {
			return true, nil
		}
		return false, err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// stamp sets the headers of a batch, and removes those of an earlier attempt.
func stamp(m *nats.Msg, batch string, sequence int, last bool) {
	for _, name := range []string{HeaderBatch, headerBatchSequence, headerBatchCommit} {
		m.Header.Del(name)
	}
	m.Reply = ""
	if batch == "" {
		return
	}
	m.Header.Set(HeaderBatch, batch)
	m.Header.Set(headerBatchSequence, strconv.Itoa(sequence))
	if last {
		m.Header.Set(headerBatchCommit, "1")
	}
}

// CodeOf returns the code of an error of the servers; 0 = it is none.
func CodeOf(err error) jetstream.ErrorCode {
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		return e.ErrorCode
	}
	return 0
}

// refused says that an attempt stored nothing and that another may succeed at once.
func refused(err error) bool {
	return slices.Contains([]jetstream.ErrorCode{codeInProcess, codeIncompleteBatch, CodeTooManyBatches}, CodeOf(err)) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// objected says that the servers found fault with a message, and not with the moment.
func objected(err error) bool {
	moment := []jetstream.ErrorCode{
		0, CodeNoLeader, codeNoResources, codeNoStorage, codeAccountFull, codeStoreFailed, codeInProcess, codeIncompleteBatch, CodeTooManyBatches,
	}
	return !slices.Contains(moment, CodeOf(err))
}

// JournalError makes what a request ended with an error of the journal: it wraps [journal.ErrFull] or [journal.ErrUnavailable].
func JournalError(err error) error {
	code := CodeOf(err)
	if slices.Contains([]jetstream.ErrorCode{codeNoResources, codeNoStorage, codeAccountFull}, code) ||
		code == codeStoreFailed && strings.Contains(err.Error(), "maximum") {
		return fmt.Errorf("%w: %w", journal.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
}
