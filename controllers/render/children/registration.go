package children

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// RegistrationSecretType is the type of the Secrets of registrations. It cannot be changed, so that no other Secret becomes one.
const RegistrationSecretType corev1.SecretType = "mailvane.dev/registration" //nolint:gosec // It is the name of a type.

// The keys of such a Secret.
const (
	// RegistrationKey holds what the provider signs requests with.
	RegistrationKey = "key"
	// RegistrationPreviousKey holds what it signed with before, while that may still be in use.
	RegistrationPreviousKey = "previousKey"
	// RegistrationState holds what the manager remembers.
	RegistrationState = "state.json"
)

// RegistrationSecret returns the Secret of an endpoint's registration.
func RegistrationSecret(e *v1alpha1.WebhookEndpoint, data map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(RegistrationSecretName(e.Name), e.Namespace).
		WithLabels(map[string]string{ManagedByLabel: ManagedByValue, partOfLabel: partOf, componentLabel: "registration"}).
		WithOwnerReferences(OwnerReference(e)).WithType(RegistrationSecretType).WithData(data)
}
