package children

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/receiver/admin/access"
)

const (
	// AdminRightAnnotation is on each Secret with a token of the admin API, and holds the right that the token gives.
	AdminRightAnnotation = "mailvane.dev/admin-right"
	// AdminTokenKey is the key of such a Secret that holds the token.
	AdminTokenKey = "token"
)

const (
	tokenVolume = "admin-tokens"
	tokenFolder = "/etc/mailvane-admin" //nolint:gosec // the name of a folder
)

// AdminSecretName returns the name of the Secret with the token of a receiver's admin API that gives a right. Each right has a Secret of
// its own: who may read the Secret has the right.
func AdminSecretName(receiver string, right access.Right) string {
	return receiver + "-admin-" + right.String()
}

// IsReceiverSecretName says whether a Secret has the name of one that receivers consist of, whoever made it.
func IsReceiverSecretName(name string) bool {
	if !strings.HasPrefix(name, "mailvane-") {
		return false
	}
	if before, part, ok := strings.Cut(name, "-part-"); ok && part != "" && strings.Trim(part, "0123456789") == "" {
		name = before
	}
	return strings.HasSuffix(name, ConfigSecretName("receiver")) || slices.ContainsFunc(access.Rights(), func(right access.Right) bool {
		return strings.HasSuffix(name, AdminSecretName("receiver", right))
	})
}

// AdminSecret returns the Secret with the token that gives a right.
func (r *Receiver) AdminSecret(right access.Right, token string) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(AdminSecretName(r.Name, right), r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithType(corev1.SecretTypeOpaque).
		WithAnnotations(map[string]string{AdminRightAnnotation: right.String()}).
		WithData(map[string][]byte{AdminTokenKey: []byte(token)})
}

// tokenVolume has a file for each right. One that is deleted, so that it is made anew, does not keep a pod from starting.
func (r *Receiver) tokenVolume() *corev1ac.VolumeApplyConfiguration {
	projected := corev1ac.ProjectedVolumeSource().WithDefaultMode(readableByGroup)
	for _, right := range access.Rights() {
		projected = projected.WithSources(corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(AdminSecretName(r.Name, right)).WithOptional(true).
			WithItems(corev1ac.KeyToPath().WithKey(AdminTokenKey).WithPath(right.String()))))
	}
	return corev1ac.Volume().WithName(tokenVolume).WithProjected(projected)
}
