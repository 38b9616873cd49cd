package rabbitmqsink

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// alarmPatience is how long what was published is waited for after the server has said that it reads no more; blockedFor is what a send
// asks to wait for then.
const (
	alarmPatience = 3 * time.Second
	blockedFor    = 5 * time.Second
)

// publishing is one call of publish.
type publishing struct {
	session  *session
	channel  *channel
	messages []sink.Message
	confirms []*amqp.DeferredConfirmation
	failed   map[int]error
	// unsettled says that something on the channel has no confirm yet, so that it is not used again.
	unsettled bool
}

// publish publishes all messages and then waits for their confirms. It returns those that failed.
func (s *rabbitMQSink) publish(ctx context.Context, session *session, messages []sink.Message) map[int]error {
	p := &publishing{session: session, messages: messages, confirms: make([]*amqp.DeferredConfirmation, len(messages)), failed: map[int]error{}}
	if err := session.alarm(); err != nil {
		return p.fail(err)
	}
	stop := context.AfterFunc(ctx, session.cut) // nothing else ends a write
	err := p.write(s)
	if !stop() {
		return p.fail(ctx.Err())
	}
	if p.channel == nil {
		return p.fail(err)
	}
	p.wait(ctx)
	p.returned()
	session.release(p.channel, !p.unsettled)
	return p.failed
}

// fail says that all have failed.
func (p *publishing) fail(err error) map[int]error {
	for i := range p.messages {
		p.failed[i] = err
	}
	return p.failed
}

// write publishes the messages until one cannot be.
func (p *publishing) write(s *rabbitMQSink) error {
	channel, err := p.session.take()
	if err != nil {
		return err
	}
	p.channel = channel
	for i := range p.messages {
		m := &p.messages[i]
		message, err := s.message(m)
		if err != nil {
			p.failed[i] = err
			continue
		}
		if p.session.alarm() != nil {
			return nil //nolint:nilerr // What waits for confirms says it of each message.
		}
		key := s.key.Expand(template.Values{Source: m.Source, Type: m.Type, Provider: m.Provider})
		if p.confirms[i], err = channel.PublishWithDeferredConfirm(s.exchange, key, true, false, message); err != nil {
			p.confirms[i] = nil
			return nil //nolint:nilerr // Why is said by what closed the channel.
		}
	}
	return nil
}

// wait waits for each confirm.
func (p *publishing) wait(ctx context.Context) {
	var patience <-chan time.Time
	alarmed := p.session.alarmed()
	for i := 0; i < len(p.confirms); {
		c := p.confirms[i]
		if p.failed[i] != nil {
			i++
			continue
		}
		if c == nil {
			p.failed[i] = p.notSent()
			i++
			continue
		}
		select {
		case <-c.Done():
			if !c.Acked() {
				p.failed[i] = p.refused()
			}
			i++
		case <-alarmed:
			alarmed = nil
			timer := time.NewTimer(alarmPatience)
			defer timer.Stop()
			patience = timer.C
		case <-patience:
			p.giveUp(i, p.session.alarm())
			return
		case <-ctx.Done():
			p.giveUp(i, ctx.Err())
			return
		}
	}
}

// giveUp says that what has no confirm yet has failed for the moment. An alarm that is over is no reason any more.
func (p *publishing) giveUp(from int, err error) {
	if err == nil {
		err = errLost
	}
	p.unsettled = true
	for i := from; i < len(p.confirms); i++ {
		switch c := p.confirms[i]; {
		case p.failed[i] != nil:
		case c == nil:
			p.failed[i] = p.notSent()
		case !isDone(c):
			p.failed[i] = err
		case !c.Acked():
			p.failed[i] = p.refused()
		}
	}
}

func isDone(c *amqp.DeferredConfirmation) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// notSent is the error of a message that was not published.
func (p *publishing) notSent() error {
	if err := p.session.alarm(); err != nil {
		return err
	}
	if err := p.channel.why(); err != nil {
		return notTaken(err)
	}
	return sink.Unreachable(errLost)
}

// refused is the error of a message without a positive confirm: the server refuses it, or there will be none.
func (p *publishing) refused() error {
	if err := p.channel.why(); err != nil {
		return notTaken(err)
	}
	if p.channel.IsClosed() {
		return errLost
	}
	return errFull
}

// returned notes what no queue gets. The server confirms it all the same, behind the return.
func (p *publishing) returned() {
	back := p.channel.back()
	for i := range p.messages {
		if r, ok := back[p.messages[i].ID]; ok && p.failed[i] == nil {
			p.failed[i] = notRouted(r)
		}
	}
}
