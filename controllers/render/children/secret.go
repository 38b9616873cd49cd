package children

import (
	"bytes"
	"cmp"
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

// MaxParts is how many Secrets a configuration may take beside the one that lists them: with 8 MiB, compressed, it has room for
// some 60,000 endpoints with a credential each.
const MaxParts = 8

const (
	// maxSinksBytes bounds the note of the sinks: the annotations of an object have 256 KiB together, and others may have some.
	maxSinksBytes = 192 << 10
	// sinkDigits is the length of what is noted of a sink. Of two sinks that are noted alike, both stay configured.
	sinkDigits = 12
)

// TooLargeError says that a configuration does not fit into its Secrets.
type TooLargeError struct {
	// Bytes is the size of the compressed configuration.
	Bytes int
	// Sinks is the number of its sinks, when those are too many to be noted; else 0.
	Sinks int

	limit int // of one Secret
}

// Error says how large it is.
func (e *TooLargeError) Error() string {
	if e.Sinks > 0 {
		return fmt.Sprintf("the configuration has %d sinks; %d can be noted", e.Sinks, maxSinksBytes/(sinkDigits+1))
	}
	return fmt.Sprintf("the configuration has %d bytes; %d Secrets hold %d", e.Bytes, MaxParts, MaxParts*e.limit)
}

// ConfigSecrets returns the Secrets with a document of [config.Encode], in the order in which they are to be written, or a
// [TooLargeError]. The last one is that which pods begin with: a document that one Secret does not hold is in several, and that one
// lists them. They say nothing of the key for hand-off, which stays as it is. sinks are noted for [KnownSinks].
func (r *Receiver) ConfigSecrets(document []byte, sinks []string) ([]*corev1ac.SecretApplyConfiguration, error) {
	limit := cmp.Or(r.ConfigBytes, maxConfigBytes)
	files, err := config.Files(document, limit)
	if err != nil {
		return nil, err
	}
	if len(files)-1 > MaxParts {
		return nil, &TooLargeError{Bytes: sizeOf(files), limit: limit}
	}
	annotations := map[string]string{ConfigHashAnnotation: config.Hash(document)}
	if noted := noteSinks(sinks); len(noted) > maxSinksBytes {
		return nil, &TooLargeError{Bytes: sizeOf(files), Sinks: len(sinks)}
	} else if noted != "" {
		annotations[sinksAnnotation] = noted
	}
	var secrets []*corev1ac.SecretApplyConfiguration
	for i, part := range files[1:] {
		secrets = append(secrets, r.secret(PartSecretName(r.Name, i)).WithData(map[string][]byte{part.Name: part.Content}))
	}
	return append(secrets, r.secret(ConfigSecretName(r.Name)).WithAnnotations(annotations).WithData(map[string][]byte{files[0].Name: files[0].Content})), nil
}

func sizeOf(files []config.File) int {
	size := 0
	for i := range files {
		size += len(files[i].Content)
	}
	return size
}

// configVolume has the configuration and, when there are any, its parts, which are mounted ahead of need: the pods of a configuration
// that grows go on. All of it is one folder, which the kubelet swaps as a whole; what it has not got yet is told by its absence.
func (r *Receiver) configVolume() *corev1ac.VolumeApplyConfiguration {
	projected := corev1ac.ProjectedVolumeSource().WithDefaultMode(readableByGroup).
		WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().WithName(ConfigSecretName(r.Name))))
	for i := range MaxParts {
		projected = projected.WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(PartSecretName(r.Name, i)).WithOptional(true)))
	}
	return corev1ac.Volume().WithName(configVolume).WithProjected(projected)
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

// KnownSinks returns those of the sinks of a namespace that were noted on the Secret with the configuration. An earlier release noted them
// by their names: what is owed to one that no route leads to any more would otherwise be forgotten by an upgrade.
func KnownSinks(annotations map[string]string, all []string) []string {
	noted := map[string]bool{}
	for note := range strings.SplitSeq(annotations[sinksAnnotation], ",") {
		noted[note] = true
	}
	var known []string
	for _, name := range all {
		if noted[sinkNote(name)] || noted[name] {
			known = append(known, name)
		}
	}
	return known
}

// HandoffKey returns the part of the Secret that holds the key by which pods of a receiver know each other when one hands its
// events to another, and by which they name their configuration to the manager, of 32 random bytes.
func (r *Receiver) HandoffKey(random []byte) *corev1ac.SecretApplyConfiguration {
	return r.secret(ConfigSecretName(r.Name)).
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

func (r *Receiver) secret(name string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithType(corev1.SecretTypeOpaque)
}
