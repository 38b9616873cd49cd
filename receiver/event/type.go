package event

import "strings"

// Type is the normalized name of what happened, such as "email.bounced".
// The names are past tense and provider independent; CloudEvents carry them as
// "dev.mailvane.<Type>.v1" (see [Type.CloudEvents]).
type Type string

// What became of a message that was sent.
const (
	// Accepted says that the provider took the request to send.
	Accepted Type = "email.accepted"
	// Sent says that the message was handed to the outgoing MTA, with no word yet from the recipient's MTA.
	Sent Type = "email.sent"
	// Delivered says that the recipient's MTA accepted the message.
	Delivered Type = "email.delivered"
	// Deferred says that an attempt failed and that the provider will try again.
	Deferred Type = "email.deferred"
	// Bounced says that the recipient's MTA refused the message; see [Bounce].
	Bounced Type = "email.bounced"
	// Rejected says that the provider never attempted delivery; see [Reject].
	Rejected Type = "email.rejected"
	// Failed says that submission or rendering failed for good.
	Failed Type = "email.failed"
)

// What a person did with a message.
const (
	// Opened says that the message was displayed, or that something fetched its tracking image.
	Opened Type = "email.opened"
	// Clicked says that a tracked link was followed.
	Clicked Type = "email.clicked"
	// Complained says that the recipient reported the message as spam; see [Complaint].
	Complained Type = "email.complained"
	// Uncomplained says that the recipient, or the provider of the mailbox, reported that the message is no spam: the opposite of a
	// complaint. See [Complaint].
	Uncomplained Type = "email.uncomplained"
	// Unsubscribed says that the recipient asked for no more mail.
	Unsubscribed Type = "email.unsubscribed"
	// Resubscribed says that the recipient took an unsubscription back.
	Resubscribed Type = "email.resubscribed"
	// Received says that a message came in.
	Received Type = "email.received"
	// Autoresponded says that an automatic reply came in.
	Autoresponded Type = "email.autoresponded"
)

// What happened in a mailbox that the provider watches.
const (
	// MailboxMessageCreated says that a message appeared in a folder that is not the inbox (moved there, or an own copy).
	MailboxMessageCreated Type = "mailbox.message.created"
	// MailboxMessageUpdated says that flags or labels of a message changed.
	MailboxMessageUpdated Type = "mailbox.message.updated"
	// MailboxMessageDeleted says that a message left a folder.
	MailboxMessageDeleted Type = "mailbox.message.deleted"
	// MailboxMessageMissing says that a message that should exist was not found.
	MailboxMessageMissing Type = "mailbox.message.missing"
	// MailboxFolderCreated says that a folder appeared.
	MailboxFolderCreated Type = "mailbox.folder.created"
	// MailboxFolderDeleted says that a folder is gone.
	MailboxFolderDeleted Type = "mailbox.folder.deleted"
	// MailboxFolderReset says that a folder's message numbering (IMAP UIDVALIDITY) changed.
	MailboxFolderReset Type = "mailbox.folder.reset"
	// MailboxChanged says that something in a mailbox is new, and no more: the provider names no message.
	MailboxChanged Type = "mailbox.changed"
)

// What happened to the provider's list of addresses that it sends nothing to.
const (
	// SuppressionAdded says that an address was put on the list.
	SuppressionAdded Type = "suppression.added"
	// SuppressionRemoved says that an address was taken off the list.
	SuppressionRemoved Type = "suppression.removed"
)

// What happened to an account at the provider.
const (
	// AccountAdded says that an account was registered.
	AccountAdded Type = "account.added"
	// AccountInitialized says that an account's first synchronization is complete.
	AccountInitialized Type = "account.initialized"
	// AccountDeleted says that an account was removed.
	AccountDeleted Type = "account.deleted"
	// AccountAuthenticated says that the provider logged in to an account.
	AccountAuthenticated Type = "account.authenticated"
	// AccountAuthFailed says that the provider could not log in to an account.
	AccountAuthFailed Type = "account.auth_failed"
	// AccountConnectFailed says that the provider could not reach an account's server.
	AccountConnectFailed Type = "account.connect_failed"
	// AccountStatusChanged says that the provider changed what an account may do, such as a limit for sending.
	AccountStatusChanged Type = "account.status_changed"
	// ExportCompleted says that an export of an account is ready.
	ExportCompleted Type = "export.completed"
	// ExportFailed says that an export of an account failed.
	ExportFailed Type = "export.failed"
)

// Everything else.
const (
	// Test is a provider's own test or ping. A route without a filter does not take it.
	Test Type = "test"
	// Unknown is an authentic event whose name this release does not know; it flows with its raw payload.
	Unknown Type = "unknown"
)

const (
	cloudEventsTypePrefix = "dev.mailvane."
	cloudEventsTypeSuffix = ".v1"
)

// CloudEvents returns the CloudEvents "type" attribute for t, "dev.mailvane.<t>.v1".
func (t Type) CloudEvents() string {
	return cloudEventsTypePrefix + string(t) + cloudEventsTypeSuffix
}

// TypeOf returns the normalized name of which attribute is the CloudEvents "type". Any other text is returned as it is.
func TypeOf(attribute string) Type {
	name, ours := strings.CutPrefix(attribute, cloudEventsTypePrefix)
	name, versioned := strings.CutSuffix(name, cloudEventsTypeSuffix)
	if !ours || !versioned {
		return Type(attribute)
	}
	return Type(name)
}

// Types returns every normalized name, in the order of their groups.
func Types() []Type {
	return []Type{
		Accepted, Sent, Delivered, Deferred, Bounced, Rejected, Failed,
		Opened, Clicked, Complained, Uncomplained, Unsubscribed, Resubscribed, Received, Autoresponded,
		MailboxMessageCreated, MailboxMessageUpdated, MailboxMessageDeleted, MailboxMessageMissing,
		MailboxFolderCreated, MailboxFolderDeleted, MailboxFolderReset, MailboxChanged,
		SuppressionAdded, SuppressionRemoved,
		AccountAdded, AccountInitialized, AccountDeleted,
		AccountAuthenticated, AccountAuthFailed, AccountConnectFailed, AccountStatusChanged,
		ExportCompleted, ExportFailed,
		Test, Unknown,
	}
}
