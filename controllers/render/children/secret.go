package children

import (
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

// TooLargeError says that a configuration does not fit into a Secret.
type TooLargeError struct {
	// Bytes is the size of the compressed configuration.
	Bytes int
}

// Error says how large it is.
func (e *TooLargeError) Error() string {
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
	if len(sinks) > 0 {
		annotations[sinksAnnotation] = strings.Join(sinks, ",")
	}
	return r.secret().WithAnnotations(annotations).WithData(map[string][]byte{file: content}), nil
}

// KnownSinks returns the sinks that were noted on the Secret with the configuration.
func KnownSinks(annotations map[string]string) []string {
	return strings.FieldsFunc(annotations[sinksAnnotation], func(c rune) bool { return c == ',' })
}

// HandoffKey returns the part of the Secret that holds the key by which pods of a receiver know each other when one hands its
// events to another, of 32 random bytes.
func (r *Receiver) HandoffKey(random []byte) *corev1ac.SecretApplyConfiguration {
	return r.secret().
		WithAnnotations(map[string]string{HandoffKeyAnnotation: "made"}).
		WithData(map[string][]byte{handoffKeyFile: []byte(hex.EncodeToString(random))})
}

func (r *Receiver) secret() *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(ConfigSecretName(r.Name), r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithType(corev1.SecretTypeOpaque)
}
