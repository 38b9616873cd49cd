package children

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Name is the name of the receiver that the endpoints of a namespace share, and of most of its objects.
const Name = "mailvane-receiver"

// maxStem bounds what is between "mailvane-" and "-receiver" in a name. The label controller-revision-hash of a StatefulSet's pods
// is the longest thing that a name becomes part of: the name, a hyphen and 10 characters, of the 63 that a label may have.
const maxStem = 34

// digits is the number of hexadecimal digits of a hash in a name.
const digits = 8

// DedicatedName returns the name of the receiver that belongs to one endpoint: mailvane-<endpoint>-receiver. It is a DNS label for
// every name that an endpoint can have. With a word before and one after the endpoint's name, neither it nor the names that are
// made of it are those of the shared receiver's objects or of another endpoint's.
func DedicatedName(endpoint string) string {
	return "mailvane-" + stem(endpoint) + "-receiver"
}

// ExposureName returns the name of the Ingress or HTTPRoute of an endpoint.
func ExposureName(endpoint string) string {
	return "mailvane-" + stem(endpoint)
}

// ConfigSecretName returns the name of the Secret with a receiver's configuration.
func ConfigSecretName(receiver string) string { return receiver + "-config" }

// PartSecretName returns the name of the Secret with a part of a receiver's configuration, counted from 0.
func PartSecretName(receiver string, i int) string {
	return fmt.Sprintf("%s-part-%d", ConfigSecretName(receiver), i)
}

// PeersName returns the name of the headless Service over a receiver's pods.
func PeersName(receiver string) string { return receiver + "-peers" }

// stem returns a name if it fits, has no dot and does not look like one with a hash; else its beginning and a hash of all of it.
func stem(name string) string {
	if len(name) <= maxStem && !strings.Contains(name, ".") && !endsInHash(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	beginning := strings.ReplaceAll(name, ".", "-")
	return strings.TrimRight(beginning[:min(len(beginning), maxStem-digits-1)], "-") + "-" + hex.EncodeToString(sum[:])[:digits]
}

// endsInHash says whether a name could be one that was made of another.
func endsInHash(name string) bool {
	hyphen := strings.LastIndexByte(name, '-')
	return hyphen > 0 && hyphen == len(name)-digits-1 && strings.Trim(name[hyphen+1:], "0123456789abcdef") == ""
}

// RegistrationSecretName returns the name of the Secret in which the manager keeps what it knows of an endpoint's webhook.
func RegistrationSecretName(endpoint string) string {
	return "mailvane-" + stem(endpoint) + "-registration"
}
