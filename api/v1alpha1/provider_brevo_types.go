package v1alpha1

// BrevoProvider holds the settings of a Brevo webhook. It has none: Brevo signs nothing, so spec.authentication must set a factor, such as
// basic, whose user name and password Brevo takes in the URL, or header, which it sends as it is told.
type BrevoProvider struct{}
