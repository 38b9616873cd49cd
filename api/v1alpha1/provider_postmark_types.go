package v1alpha1

// PostmarkProvider holds the settings of a Postmark webhook. It has none: Postmark signs nothing, so spec.authentication must set a
// factor, such as basic, which Postmark sends for every kind of webhook when user name and password are part of the URL.
type PostmarkProvider struct{}
