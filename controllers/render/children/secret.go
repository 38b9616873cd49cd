package children

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/receiver/config"
)

// maxSecretBytes is what the API server takes as the data of one Secret.
const maxSecretBytes = corev1.MaxSecretSize

// TooLargeError says that a configuration does not fit into a Secret.
type TooLargeError struct {
	// Bytes is the size of the compressed configuration.
	Bytes int
}

// Error says how large it is.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the configuration has %d bytes; a Secret holds %d", e.Bytes, maxSecretBytes)
}

// ConfigSecret returns the Secret with a document of [config.Encode], or a [TooLargeError].
func ConfigSecret(namespace string, document []byte) (*corev1ac.SecretApplyConfiguration, error) {
	file, content, err := config.File(document)
	if err != nil {
		return nil, err
	}
	if len(content) > maxSecretBytes {
		return nil, &TooLargeError{Bytes: len(content)}
	}
	return corev1ac.Secret(ConfigSecretName, namespace).
		WithLabels(labels()).
		WithAnnotations(map[string]string{ConfigHashAnnotation: config.Hash(document)}).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{file: content}), nil
}
