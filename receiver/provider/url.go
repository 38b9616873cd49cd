package provider

// URL returns what the provider posted to, as far as that is known: with the host of the request, which anybody can choose, where the
// endpoint's own is not known, and without the user name and password that the provider may have been told.
func (r *Request) URL() string {
	base := r.Base
	if base == "" {
		base = "https://" + r.Host
	}
	if r.Query == "" {
		return base + r.Path
	}
	return base + r.Path + "?" + r.Query
}
