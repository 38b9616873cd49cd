package v1alpha1

// MailjetProvider holds the settings of a Mailjet webhook. It has none: Mailjet signs nothing, so spec.authentication must set a factor,
// such as basic, which Mailjet sends when user name and password are part of the URL.
type MailjetProvider struct{}
