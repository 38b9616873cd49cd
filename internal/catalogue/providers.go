package catalogue

import "slices"

// Providers returns every provider, in the order in which they are listed to people.
func Providers() []Provider { return slices.Concat(signing(), signingLater(), unsigned()) }

// signing are the first of those that sign.
func signing() []Provider {
	return []Provider{
		{
			Type: "WebexConnect", Title: "Webex Connect", Page: "https://developers.webexconnect.io/reference/email-outbound-webhooks",
			Signs: SignsBody, Factor: unlessSet("hubSecretRefs"), Inbound: true,
		},
		{
			Type: "MailChannels", Title: "MailChannels", Page: "https://docs.mailchannels.com/email-api/webhooks",
			Around: `[@]`,
			Signs:  SignsBody, Registration: &Registration{},
		},
		{
			Type: "EmailEngine", Title: "EmailEngine", Page: "https://learn.emailengine.app/docs/receiving/webhooks",
			ListDetail: "listId",
			Signs:      SignsBody, Factor: unlessSet("serviceSecretRefs"), Inbound: true,
			Registration: &Registration{BaseURL: true, Key: "serviceSecretRefs", Carries: "basic, header"},
		},
		{
			Type: "EngageLab", Title: "EngageLab", Page: "https://www.engagelab.com/docs/email/webhook/webhook",
			Signs: SignsTime, Inbound: true,
			Factor: &Factor{
				Unless:  "has(self.bodyIntegrity)",
				Message: "must be set, for example pathToken: EngageLab signs no body; to go without, set provider.engageLab.bodyIntegrity to None",
			},
			Registration: &Registration{Account: "the API user", Regions: []string{"Singapore", "Turkey"}},
		},
		{
			Type: "SendGrid", Title: "SendGrid", Page: "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event",
			ListDetail: "asm_group_id", ListEvents: "group_",
			Around: `[@]`,
			Signs:  SignsBody, Factor: unlessSet("publicKeys"), Inbound: true,
			Registration: &Registration{Regions: []string{"Global", "EU"}, Key: "publicKeys", Carries: "basic"},
		},
		{
			Type: "Mailgun", Title: "Mailgun", Page: "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks",
			Signs: SignsTime, Inbound: true,
			Factor: &Factor{
				Unless:  "has(self.bodyIntegrity)",
				Message: "must be set, for example pathToken: Mailgun signs no body; to go without, set provider.mailgun.bodyIntegrity to None",
			},
			Registration: &Registration{Account: "the sending domain", Regions: []string{"US", "EU"}, Key: "signingKeyRefs", Carries: "basic"},
		},
		{
			Type: "Resend", Title: "Resend", Page: "https://resend.com/docs/dashboard/webhooks/introduction",
			Signs: SignsBody, Inbound: true,
			Registration: &Registration{Key: "signingSecretRefs"},
		},
		{
			Type: "AzureCommunicationServices", Title: "Azure Communication Services",
			Around: `[@]`,
			Page:   "https://learn.microsoft.com/azure/event-grid/communication-services-email-events",
			Signs:  SignsCaller, Factor: unlessSet("entra"),
		},
	}
}

// signingLater are the others of those that sign.
func signingLater() []Provider { return append(signingMail(), signingMore()...) }

// signingMail are those of them that send mail.
func signingMail() []Provider {
	return []Provider{
		{
			Type: "StandardWebhooks", Title: "Standard Webhooks", Page: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
			Signs: SignsBody,
		},
		{
			Type: "Mandrill", Title: "Mandrill", Page: "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
			Around: `[@]`,
			Signs:  SignsBody, ReadsURL: true, Inbound: true,
			Registration: &Registration{Key: "webhookKeyRefs", Carries: "basic"},
		},
		{
			Type: "AmazonSES", Title: "Amazon SES", Page: "https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns.html",
			Signs: SignsBody, Inbound: true,
			Factor: &Factor{
				Unless:  "(!has(self.rawDelivery) || !self.rawDelivery)",
				Message: "must be set, for example pathToken: with provider.amazonSES.rawDelivery nothing is signed",
			},
		},
		{
			Type: "ScalewayTEM", Title: "Scaleway TEM", Page: "https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads/",
			Signs: SignsBody,
		},
		{
			Type: "Mailtrap", Title: "Mailtrap", Page: "https://docs.mailtrap.io/email-api-smtp/advanced/webhooks",
			Around: `{"events":[@]}`,
			Signs:  SignsBody, Factor: unlessSet("signingSecretRefs"),
			Registration: &Registration{Account: "the id of the account", Key: "signingSecretRefs"},
		},
		{
			Type: "MailerSend", Title: "MailerSend", Page: "https://developers.mailersend.com/api/v1/account/webhooks.html",
			Signs: SignsBody, Inbound: true,
			Registration: &Registration{Account: "the id of the domain", Key: "signingSecretRefs"},
		},
		{
			Type: "UnisenderGo", Title: "Unisender Go", Page: "https://godocs.unisender.ru/web-api-ref#callback-format",
			Signs:        SignsBody,
			Registration: &Registration{Regions: []string{"go1", "go2"}},
		},
		{
			Type: "Postal", Title: "Postal", Page: "https://docs.postalserver.io/developer/webhooks",
			Signs: SignsBody, Inbound: true,
		},
		{
			Type: "CustomerIO", Title: "Customer.io", Page: "https://docs.customer.io/integrations/data-out/connections/webhooks/",
			Signs: SignsBody,
		},
		{
			Type: "Loops", Title: "Loops", Page: "https://loops.so/docs/webhooks",
			ListDetail: "mailingListId",
			Signs:      SignsBody,
		},
		{
			Type: "MailPace", Title: "MailPace", Page: "https://docs.mailpace.com/guide/webhooks/",
			Signs: SignsBody,
		},
	}
}

// signingMore are mailboxes, and what users write themselves.
func signingMore() []Provider {
	return []Provider{
		{
			Type: "GmailPubSub", Title: "Gmail", Page: "https://developers.google.com/gmail/api/guides/push",
			Signs: SignsCaller, Factor: unlessSet("audiences"),
		},
		{
			Type: "Custom", Title: "Custom", Page: "https://github.com/google/cel-spec",
			Signs: SignsBody, ReadsURL: true,
			Factor: &Factor{
				Unless:  "self.signature.scheme != 'None'",
				Message: "must be set, for example pathToken: with provider.custom.signature.scheme None nothing is signed",
			},
		},
		{
			Type: "MicrosoftGraph", Title: "Microsoft Graph", Page: "https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
			Around: `{"value":[@]}`,
			Signs:  SignsCaller, Inbound: true,
		},
		{
			Type: "Nylas", Title: "Nylas", Page: "https://developer.nylas.com/docs/v3/notifications/",
			Signs: SignsBody, Inbound: true,
		},
	}
}

// unsigned are those that sign nothing.
func unsigned() []Provider {
	return []Provider{
		{
			Type: "Brevo", Title: "Brevo", Page: "https://developers.brevo.com/docs/how-to-use-webhooks",
			Signs: SignsNothing, Inbound: true,
			Factor:       &Factor{Message: "must be set, for example basic: Brevo signs nothing"},
			Registration: &Registration{Carries: "basic, header"},
		},
		{
			Type: "Postmark", Title: "Postmark", Page: "https://postmarkapp.com/developer/webhooks/webhooks-overview",
			ListDetail: "MessageStream",
			Signs:      SignsNothing, Inbound: true,
			Factor:       &Factor{Message: "must be set, for example basic: Postmark signs nothing"},
			Registration: &Registration{Account: "the message stream; outbound unless set", AccountOptional: true, Carries: "basic, header"},
		},
		{
			Type: "Mailjet", Title: "Mailjet", Page: "https://dev.mailjet.com/email/guides/webhooks/",
			ListDetail: "mj_list_id",
			Signs:      SignsNothing, Inbound: true,
			Factor:       &Factor{Message: "must be set, for example basic: Mailjet signs nothing"},
			Registration: &Registration{Account: "the public key", Carries: "basic"},
		},
		{
			Type: "SparkPost", Title: "SparkPost", Page: "https://developers.sparkpost.com/api/webhooks/",
			Around: `[@]`,
			Signs:  SignsNothing, Inbound: true,
			Factor:       &Factor{Message: "must be set, for example basic: SparkPost signs nothing"},
			Registration: &Registration{Regions: []string{"US", "EU"}, Carries: "basic, header"},
		},
		{
			Type: "TencentSES", Title: "Tencent SES", Page: "https://www.tencentcloud.com/document/product/1084/39492",
			Signs: SignsNothing, Factor: &Factor{Message: "must be set, for example pathToken: Tencent documents no signature"},
		},
		{
			Type: "AlibabaDirectMail", Title: "Alibaba DirectMail", Page: "https://www.alibabacloud.com/help/en/eventbridge/user-guide/events-of-the-direct-mail-type",
			Signs: SignsNothing, Factor: &Factor{Message: "must be set, for example pathToken: what EventBridge signs is not checked"},
		},
		{
			Type: "SMTP2GO", Title: "SMTP2GO", Page: "https://developers.smtp2go.com/docs/webhooks-overview",
			Signs:  SignsNothing,
			Factor: &Factor{Message: "must be set, for example basic: SMTP2GO signs nothing"},
		},
	}
}

// unlessSet is the rule of a provider whose credential may be left out: where it is, another factor must be set.
func unlessSet(field string) *Factor {
	return &Factor{
		Unless:  "has(self." + field + ")",
		Field:   field,
		Message: "must be set unless spec.authentication sets another factor",
	}
}
