package v1alpha1

// SMTP2GOProvider holds the settings of an SMTP2GO webhook. It has none: SMTP2GO signs nothing, so spec.authentication must set a factor, such
// as basic, whose user name and password SMTP2GO takes in the URL, or pathToken.
type SMTP2GOProvider struct{}
