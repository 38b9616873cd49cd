package emailengine

import "github.com/mailvane/mailvane/receiver/event"

// converter fills an event from its notice.
type converter func(*event.Event, notice)

// converters are listed by EmailEngine's name of the event (lib/consts.js). What is not listed is unknown.
var converters = map[string]converter{ //nolint:gochecknoglobals // a table that nothing changes
	"messageNew":            messageNew,
	"messageDeleted":        mailboxMessage(event.MailboxMessageDeleted),
	"messageUpdated":        mailboxMessage(event.MailboxMessageUpdated),
	"messageMissing":        mailboxMessage(event.MailboxMessageMissing),
	"messageSent":           messageSent,
	"messageDeliveryError":  messageDeliveryError,
	"messageFailed":         messageFailed,
	"messageBounce":         messageBounce,
	"messageComplaint":      messageComplaint,
	"trackOpen":             tracking(event.Opened),
	"trackClick":            tracking(event.Clicked),
	"listUnsubscribe":       tracking(event.Unsubscribed),
	"listSubscribe":         tracking(event.Resubscribed),
	"mailboxNew":            mailboxFolder(event.MailboxFolderCreated),
	"mailboxDeleted":        mailboxFolder(event.MailboxFolderDeleted),
	"mailboxReset":          mailboxFolder(event.MailboxFolderReset),
	"accountAdded":          account(event.AccountAdded),
	"accountInitialized":    account(event.AccountInitialized),
	"accountDeleted":        account(event.AccountDeleted),
	"authenticationSuccess": account(event.AccountAuthenticated),
	"authenticationError":   account(event.AccountAuthFailed),
	"connectError":          account(event.AccountConnectFailed),
	"exportCompleted":       export(event.ExportCompleted),
	"exportFailed":          export(event.ExportFailed),
	"test":                  test,
}

// test is what the admin page's "send test webhook" sends, without signature and event id.
func test(e *event.Event, _ notice) { e.Type = event.Test }
