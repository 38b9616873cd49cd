package refusal

import "github.com/mailvane/mailvane/receiver/event"

// Words are what servers write when they refuse a message, and what it says of the address.
type Words struct {
	// Of names whose words they are: a mailbox provider, a filter, or a mail server that many run.
	Of string
	// Text is in small letters, with one blank between words.
	Text string
	// Bounce is what they say. A type of "" is that of the codes, or soft where there are none.
	event.Bounce
}

// Table returns the words that are known; of several that a reply contains, the first decide.
//
// The sources are the pages that the providers keep for senders: support.google.com/a/answer/3726730, senders.yahooinc.com/smtp-error-codes,
// learn.microsoft.com (non-delivery reports in Exchange Online), sendersupport.olc.protection.outlook.com/pm/troubleshooting,
// support.apple.com/102322 (postmaster information for iCloud Mail), postmaster.gmx.net, yandex.com/support (SMTP errors),
// help.mail.ru/developers/mailing_rules/technical; and the replies of Postfix, Exim, Dovecot, Sendmail and qmail.
func Table() []Words {
	var all []Words
	for _, part := range [][]Words{undecided(), nobody(), full(), reputation(), spam(), policy(), content(), unreached()} {
		all = append(all, part...)
	}
	return all
}

// rows puts one meaning to several words.
func rows(b event.Bounce, words ...[2]string) []Words {
	all := make([]Words, len(words))
	for i, w := range words {
		all[i] = Words{Of: w[0], Text: w[1], Bounce: b}
	}
	return all
}

const (
	amazon    = "Amazon WorkMail"
	apple     = "iCloud Mail"
	barracuda = "Barracuda"
	cisco     = "Cisco Secure Email"
	dovecot   = "Dovecot"
	exchange  = "Exchange"
	exim      = "Exim"
	gmail     = "Gmail"
	gmx       = "GMX, WEB.DE"
	mailRu    = "Mail.ru"
	mimecast  = "Mimecast"
	outlook   = "Outlook.com"
	postfix   = "Postfix"
	proof     = "Proofpoint"
	qmail     = "qmail"
	qq        = "QQ Mail"
	several   = "several"
	spamhaus  = "Spamhaus"
	yahoo     = "Yahoo, AOL"
	yandex    = "Yandex Mail"
)

// undecided are words beside codes that say more than the server knows.
func undecided() []Words {
	return rows(event.Bounce{Type: event.Soft, Category: event.CategoryOther},
		[2]string{postfix, "unverified address"},
		[2]string{postfix, "address verification in progress"},
		[2]string{several, "please try again later to verify"},
	)
}

// nobody are words for an address that does not exist, or no longer.
func nobody() []Words {
	return rows(event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown},
		[2]string{gmail, "email account that you tried to reach does not exist"},
		[2]string{gmail, "email account that you tried to reach is disabled"},
		[2]string{gmail, "email account that you tried to reach is inactive"},
		[2]string{yahoo, "this user doesn't have a"},
		[2]string{yahoo, "this mailbox is disabled"},
		[2]string{yahoo, "not a valid recipient"},
		[2]string{outlook, "mailbox unavailable (s2017062302)"},
		[2]string{exchange, "recipientnotfound"},
		[2]string{exchange, "recipient not found by smtp address lookup"},
		[2]string{exchange, "recipient address rejected: access denied"},
		[2]string{yandex, "no such user"},
		[2]string{mailRu, "invalid mailbox"},
		[2]string{mailRu, "user is terminated"},
		[2]string{mailRu, "account is unavailable"},
		[2]string{qq, "mailbox not found"},
		[2]string{apple, "user does not exist"},
		[2]string{dovecot, "user doesn't exist"},
		[2]string{postfix, "user unknown"},
		[2]string{postfix, "host or domain name not found"},
		[2]string{postfix, "domain not found"},
		[2]string{exim, "unrouteable address"},
		[2]string{exim, "unknown user"},
		[2]string{qmail, "no mailbox here by that name"},
		[2]string{several, "unknown recipient"},
		[2]string{several, "recipient unknown"},
		[2]string{several, "no such recipient"},
		[2]string{several, "no such mailbox"},
		[2]string{several, "address does not exist"},
		[2]string{several, "mailbox does not exist"},
		[2]string{several, "account does not exist"},
		[2]string{several, "account has been disabled"},
		[2]string{several, "account disabled"},
	)
}

// full are words for a mailbox without space. Whether for good is what the codes say.
func full() []Words {
	return rows(event.Bounce{Category: event.CategoryMailboxFull},
		[2]string{gmail, "email account that you tried to reach is over quota"},
		[2]string{gmail, "inbox is out of storage space"},
		[2]string{exchange, "quotaexceededexception"},
		[2]string{exchange, "shutoffquota"},
		[2]string{several, "over quota"},
		[2]string{several, "quota exceeded"},
		[2]string{several, "exceeded storage allocation"},
		[2]string{several, "mailbox full"},
		[2]string{several, "mailbox is full"},
		[2]string{several, "mailbox is over its"},
		[2]string{several, "mailbox exceeds allowed size"},
		[2]string{amazon, "mailbox size limit exceeded"},
	)
}

// reputation are words against whoever sent it.
func reputation() []Words {
	return rows(event.Bounce{Type: event.Soft, Category: event.CategoryReputation},
		[2]string{gmail, "unusual rate of unsolicited mail"},
		[2]string{gmail, "very low reputation of the sending"},
		[2]string{yahoo, "due to unexpected volume or user complaints"},
		[2]string{yahoo, "connections will not be accepted from"},
		[2]string{outlook, "part of their network is on our block list"},
		[2]string{outlook, "rate limited due to ip reputation"},
		[2]string{exchange, "banned sending ip"},
		[2]string{exchange, "banned sender"},
		[2]string{spamhaus, "spamhaus.org"},
		[2]string{barracuda, "barracudacentral.org"},
		[2]string{proof, "ipcheck.proofpoint.com"},
		[2]string{cisco, "poor reputation"},
		[2]string{several, "spamcop.net"},
		[2]string{several, "blocked using"},
		[2]string{several, "blacklisted"},
		[2]string{several, "blocklisted"},
		[2]string{several, "listed in an rbl"},
		[2]string{several, "bad reputation"},
		[2]string{several, "low reputation"},
	)
}

// spam are words against what looks like spam.
func spam() []Words {
	return rows(event.Bounce{Type: event.Soft, Category: event.CategorySpam},
		[2]string{gmail, "likely unsolicited mail"},
		[2]string{gmail, "likely suspicious"},
		[2]string{yandex, "under suspicion of spam"},
		[2]string{mailRu, "spam message rejected"},
		[2]string{several, "rejected as spam"},
		[2]string{several, "identified as spam"},
		[2]string{several, "classified as spam"},
		[2]string{several, "considered spam"},
		[2]string{several, "detected as spam"},
		[2]string{several, "appears to be spam"},
		[2]string{several, "looks like spam"},
		[2]string{several, "spam detected"},
	)
}

// policy are words for a rule of the receiving side, of which many ask for a later attempt.
func policy() []Words {
	return rows(event.Bounce{Type: event.Soft, Category: event.CategoryPolicy},
		[2]string{gmail, "sender is unauthenticated"},
		[2]string{gmail, "receiving mail at a rate"},
		[2]string{gmail, "receiving mail too quickly"},
		[2]string{gmail, "is not accepted due to domain's dmarc policy"},
		[2]string{yahoo, "message not accepted for policy reasons"},
		[2]string{outlook, "does not meet the required authentication level"},
		[2]string{apple, "message rejected due to local policy"},
		[2]string{gmx, "reject due to policy restrictions"},
		[2]string{mimecast, "envelope blocked"},
		[2]string{qq, "frequency limited"},
		[2]string{postfix, "greylisted"},
		[2]string{several, "greylisting"},
		[2]string{several, "graylisted"},
		[2]string{several, "relay access denied"},
		[2]string{several, "relaying denied"},
		[2]string{several, "relay not permitted"},
		[2]string{several, "dmarc"},
		[2]string{several, "spf check failed"},
		[2]string{several, "too many recipients"},
		[2]string{several, "too many connections"},
		[2]string{several, "rate limit"},
		[2]string{several, "for policy reasons"},
	)
}

// content are words against the message itself.
func content() []Words {
	return rows(event.Bounce{Type: event.Soft, Category: event.CategoryContent},
		[2]string{gmail, "its content presents a potential security issue"},
		[2]string{exchange, "recipsizelimit"},
		[2]string{qq, "mail content denied"},
		[2]string{several, "message size exceeds"},
		[2]string{several, "message too large"},
		[2]string{several, "message is too large"},
		[2]string{several, "message file too big"},
		[2]string{several, "virus"},
		[2]string{several, "attachment type"},
	)
}

// unreached are words of the server that sent: it has not spoken with the one that receives.
func unreached() []Words {
	return rows(event.Bounce{Category: event.CategoryConnection},
		[2]string{postfix, "connection timed out"},
		[2]string{postfix, "connection refused"},
		[2]string{postfix, "lost connection"},
		[2]string{postfix, "no route to host"},
		[2]string{postfix, "network is unreachable"},
		[2]string{exim, "retry timeout exceeded"},
		[2]string{exchange, "message expired"},
	)
}
