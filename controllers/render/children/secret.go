package children

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/receiver/config"
)

// handoffKeyFile is the key of the Secret, and the file, that holds the key for hand-off.
const handoffKeyFile = "handoff.key"

// maxConfigBytes is what the API server takes as the data of one Secret, without what the key for hand-off takes.
const maxConfigBytes = corev1.MaxSecretSize - 1024

const (
	// maxSinksBytes bounds the note of the sinks: the annotations of an object have 256 KiB together, and others may have some.
	maxSinksBytes = 192 << 10
	// sinkDigits is the length of what is noted of a sink. Of two sinks that are noted alike, both stay configured.
	sinkDigits = 12
)

// TooLargeError says that a configuration does not fit into a Secret.
type TooLargeError struct {
	// Bytes is the size of the compressed configuration.
	Bytes int
	// Sinks is the number of its sinks, when those are too many to be noted; else 0.
	Sinks int
}

// Error says how large it is.
func (e *TooLargeError) Error() string {
	if e.Sinks > 0 {
		return fmt.Sprintf("the configuration has %d sinks; %d can be noted", e.Sinks, maxSinksBytes/(sinkDigits+1))
	}
	return fmt.Sprintf("the configuration has %d bytes; a Secret holds %d", e.Bytes, maxConfigBytes)
}

// ConfigSecret returns the Secret with a document of [config.Encode], or a [TooLargeError]. It says nothing of the key for
// hand-off, which stays as it is. sinks are noted for [KnownSinks].
func (r *Receiver) ConfigSecret(document []byte, sinks []string) (*corev1ac.SecretApplyConfiguration, error) {
	file, content, err := config.File(document)
	if err != nil {
		return nil, err
	}
	if len(content) > maxConfigBytes {
		return nil, &TooLargeError{Bytes: len(content)}
	}
	annotations := map[string]string{ConfigHashAnnotation: config.Hash(document)}
	if noted := noteSinks(sinks); len(noted) > maxSinksBytes {
		return nil, &TooLargeError{Bytes: len(content), Sinks: len(sinks)}
	} else if noted != "" {
		annotations[sinksAnnotation] = noted
	}
	return r.secret().WithAnnotations(annotations).WithData(map[string][]byte{file: content}), nil
}

// noteSinks returns the sinks as they are noted: by a hash of a few digits, since all names together may be more than an object's annotations hold.
func noteSinks(sinks []string) string {
	notes := make([]string, len(sinks))
	for i, name := range sinks {
		notes[i] = sinkNote(name)
	}
	return strings.Join(notes, ",")
}

func sinkNote(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:sinkDigits]
}

// KnownSinks returns those of the sinks of a namespace that were noted on the Secret with the configuration.
func KnownSinks(annotations map[string]string, all []string) []string {
	noted := map[string]bool{}
	for note := range strings.SplitSeq(annotations[sinksAnnotation], ",") {
		noted[note] = true
	}
	var known []string
	for _, name := range all {
		if noted[sinkNote(name)] {
			known = append(known, name)
		}
	}
	return known
}

// HandoffKey returns the part of the Secret that holds the key by which pods of a receiver know each other when one hands its
// events to another, and by which they name their configuration to the manager, of 32 random bytes.
func (r *Receiver) HandoffKey(random []byte) *corev1ac.SecretApplyConfiguration {
	return r.secret().
		WithAnnotations(map[string]string{HandoffKeyAnnotation: "made"}).
		WithData(map[string][]byte{handoffKeyFile: []byte(hex.EncodeToString(random))})
}

// KeyOf returns the key in a Secret with a configuration, as pods read it; nil when there is none.
func KeyOf(secret *corev1.Secret) []byte {
	key := bytes.TrimSpace(secret.Data[handoffKeyFile])
	if len(key) == 0 {
		return nil
	}
	return key
}

func (r *Receiver) secret() *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(ConfigSecretName(r.Name), r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithType(corev1.SecretTypeOpaque)
}
