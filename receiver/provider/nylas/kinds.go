package nylas

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// element is one of those that a kind's list has: an object, or a text.
type element struct {
	wire.Object

	text string
}

// kind is what is known of a trigger.
type kind struct {
	// convert fills the event; nil = nothing is known of the trigger.
	convert func(*event.Event, *notice, element)
	// list names the list whose elements are one event each, and within the object that has it; "" = none, and the notification's own.
	within, list string
	// objects says that the elements are objects.
	objects bool
}

// kinds returns what is known of each trigger by its name in lower case.
func kinds() map[string]kind {
	all := map[string]kind{
		"message.created":           {convert: created},
		"message.updated":           {convert: mailbox(event.MailboxMessageUpdated)},
		"message.deleted":           {convert: mailbox(event.MailboxMessageDeleted)},
		"message.send_success":      {convert: submission(event.Sent)},
		"message.send_failed":       {convert: submission(event.Failed)},
		"message.bounce_detected":   {convert: bounceDetected},
		"message.opened":            {convert: tracked(event.Opened), list: "deltas", objects: true},
		"message.link_clicked":      {convert: tracked(event.Clicked), list: "deltas", objects: true},
		"thread.replied":            {convert: tracked(event.Unknown), list: "deltas", objects: true},
		"folder.created":            {convert: folder(event.MailboxFolderCreated)},
		"folder.updated":            {convert: folder(event.Unknown)},
		"folder.deleted":            {convert: folder(event.MailboxFolderDeleted)},
		"grant.created":             {convert: grant(event.AccountAdded)},
		"grant.updated":             {convert: grantUpdated},
		"grant.deleted":             {convert: grant(event.AccountDeleted)},
		"grant.expired":             {convert: grant(event.AccountAuthFailed)},
		"grant.imap_sync_completed": {convert: grant(event.AccountInitialized)},
	}
	// Agent accounts and transactional mail, which Nylas sends itself.
	for _, prefix := range []string{"message.", "message.transactional."} {
		all[prefix+"delivered"] = kind{convert: delivered, within: "delivered", list: "recipients"}
		all[prefix+"bounced"] = kind{convert: bounced, within: "bounce", list: "recipients", objects: true}
		all[prefix+"complaint"] = kind{convert: complaint, within: "complaint", list: "complained_recipients"}
		all[prefix+"rejected"] = kind{convert: rejected}
	}
	return all
}

// grant returns the converter of what happened to a grant: the access to one mailbox.
func grant(t event.Type) func(*event.Event, *notice, element) {
	return func(e *event.Event, n *notice, _ element) {
		e.Type = t
		wire.KeepDetails(e, n.object, "code", "email", "provider", "integration_id", "login_id", "grant_updated_at", "reauthentication_flag")
	}
}

// grantUpdated: a grant was changed, or its user has logged in again. Nylas says which with a flag that older notifications lack.
func grantUpdated(e *event.Event, n *notice, about element) {
	grant(event.AccountAuthenticated)(e, n, about)
	if n.object.Text("reauthentication_flag") == "false" {
		e.Type = event.AccountStatusChanged
	}
}

// folder returns the converter of what happened to a folder. There is no name for one that was renamed.
func folder(t event.Type) func(*event.Event, *notice, element) {
	return func(e *event.Event, n *notice, _ element) {
		e.Type = t
		wire.KeepDetails(e, n.object, "name", "system_folder")
		wire.SetDetail(e, "folder", n.object.Text("id"))
	}
}
