package process

import "testing"

// TestAnAddressIsGivenOnce asks for an address again that was given, and at which nothing listens.
func TestAnAddressIsGivenOnce(t *testing.T) {
	t.Parallel()
	address, err := FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if reserve(t.Context(), address) == nil {
		t.Errorf("%s was given twice", address)
	}
}
