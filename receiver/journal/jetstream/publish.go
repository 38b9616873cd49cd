package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/mailvane/mailvane/receiver/journal"
)

// maxPublishes bounds the publishes that wait for an answer.
const maxPublishes = 16384

// The headers of an atomic batch (NATS architecture decision record 50).
const (
	headerBatch         = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// The error codes of the servers that mean something to us (server/errors.json of nats-server).
const (
	codeNoLeader        jetstream.ErrorCode = 10008 // JSClusterNotAvailErr
	codeNoResources     jetstream.ErrorCode = 10023 // JSInsufficientResourcesErr
	codeNoStorage       jetstream.ErrorCode = 10047 // JSStorageResourcesExceededErr
	codeAccountFull     jetstream.ErrorCode = 10002 // JSAccountResourcesExceededErr
	codeStoreFailed     jetstream.ErrorCode = 10077 // JSStreamStoreFailedF
	codeNotUnique       jetstream.ErrorCode = 10100 // JSConsumerWQConsumerNotUniqueErr
	codeInProcess       jetstream.ErrorCode = 10158 // JSStreamDuplicateMessageConflict
	codeIncompleteBatch jetstream.ErrorCode = 10176 // JSAtomicPublishIncompleteBatchErr
	codeDuplicate       jetstream.ErrorCode = 10201 // JSAtomicPublishContainsDuplicateMessageErr
	codeTooManyBatches  jetstream.ErrorCode = 10210 // JSAtomicPublishTooManyInflight
)

// publish stores messages, all or none, and returns once they are stored. It returns duplicate when one of them carries a key
// that is already stored; then none was stored.
func (s *session) publish(ctx context.Context, messages []*nats.Msg) (duplicate bool, err error) {
	sent, err := s.send(messages)
	if err != nil {
		return false, err
	}
	return answer(ctx, sent)
}

// send publishes messages as one batch. What is sent first is stored first.
func (s *session) send(messages []*nats.Msg) (jetstream.PubAckFuture, error) {
	batch := ""
	if len(messages) > 1 {
		batch = nuid.Next()
	}
	for i, m := range messages {
		stamp(m, batch, i+1, i == len(messages)-1)
	}
	last := len(messages) - 1
	for _, m := range messages[:last] {
		if err := s.nc.PublishMsg(m); err != nil {
			return nil, err
		}
	}
	return s.js.PublishMsgAsync(messages[last], jetstream.WithRetryAttempts(0))
}

// answer waits for the servers' answer to what was sent.
func answer(ctx context.Context, sent jetstream.PubAckFuture) (duplicate bool, err error) {
	select {
	case ack := <-sent.Ok():
		return ack.Duplicate, nil
	case err := <-sent.Err():
		return codeOf(err) == codeDuplicate, unless(codeOf(err) == codeDuplicate, err)
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func unless(condition bool, err error) error {
	if condition {
		return nil
	}
	return err
}

func stamp(m *nats.Msg, batch string, sequence int, last bool) {
	for _, name := range []string{headerBatch, headerBatchSequence, headerBatchCommit} {
		m.Header.Del(name)
	}
	m.Reply = ""
	if batch == "" {
		return
	}
	m.Header.Set(headerBatch, batch)
	m.Header.Set(headerBatchSequence, strconv.Itoa(sequence))
	if last {
		m.Header.Set(headerBatchCommit, "1")
	}
}

func codeOf(err error) jetstream.ErrorCode {
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		return e.ErrorCode
	}
	return 0
}

// refused says that an attempt stored nothing and that another may succeed at once.
func refused(err error) bool {
	return slices.Contains([]jetstream.ErrorCode{codeInProcess, codeIncompleteBatch, codeTooManyBatches}, codeOf(err)) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// objected says that the servers found fault with a message, and not with the moment.
func objected(err error) bool {
	moment := []jetstream.ErrorCode{
		0, codeNoLeader, codeNoResources, codeNoStorage, codeAccountFull, codeStoreFailed, codeInProcess, codeIncompleteBatch, codeTooManyBatches,
	}
	return !slices.Contains(moment, codeOf(err))
}

// journalError makes what publish returned an error of the journal.
func journalError(err error) error {
	code := codeOf(err)
	if slices.Contains([]jetstream.ErrorCode{codeNoResources, codeNoStorage, codeAccountFull}, code) ||
		code == codeStoreFailed && strings.Contains(err.Error(), "maximum") {
		return fmt.Errorf("%w: %w", journal.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
}
