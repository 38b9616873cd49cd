// Package scheme holds the ways in which many providers sign, as values: a provider with an ordinary one states it in a few lines.
package scheme

import (
	"strconv"

	"github.com/mailvane/mailvane/receiver/provider"
)

// Proved makes of the position of a key, and of an error of package signature, what a Webhook's Verify returns.
func Proved(position int, err error) (provider.Proof, error) {
	if err != nil {
		return provider.Proof{}, provider.RefuseSignature(err)
	}
	return provider.Proof{Key: strconv.Itoa(position)}, nil
}
