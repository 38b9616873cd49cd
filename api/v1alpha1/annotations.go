package v1alpha1

// SendSigningKeySecretAnnotation names, on a WebhookEndpoint whose provider signs with an asymmetric key, a Secret of the same
// namespace whose key [SendSigningKey] holds a private key (PKCS #8 PEM). Only the mailvane command reads it, to send signed
// samples; a receiver has no use for a private key and never gets it.
const SendSigningKeySecretAnnotation = "mailvane.dev/send-signing-key-secret"

// SendSigningKey is the key, in the Secret that [SendSigningKeySecretAnnotation] names, of the private key.
const SendSigningKey = "privateKey"
