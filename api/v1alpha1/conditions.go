package v1alpha1

// The condition types. Ready is the one summary; the others say which part of it is missing.
const (
	// ConditionReady says that the object does its work as its current generation asks.
	ConditionReady = "Ready"
	// ConditionReferencesResolved says that every referenced sink and Secret key exists and can be used.
	ConditionReferencesResolved = "ReferencesResolved"
	// ConditionRoutesReady says that every route can select events and has a sink that can take them. What one without its sink
	// selects waits for the sink, what arrives for a filter that does not compile, or that fails for an event, becomes dead letters; the
	// other routes are not affected.
	ConditionRoutesReady = "RoutesReady"
	// ConditionReceiverAvailable says that at least one receiver pod that serves the endpoint is ready.
	ConditionReceiverAvailable = "ReceiverAvailable"
	// ConditionProgrammed says that every ready receiver pod has loaded the object's current generation, and that the receiver is
	// what it should be.
	ConditionProgrammed = "Programmed"
	// ConditionExposed says that the Ingress or HTTPRoute that spec.exposure asks for is there and taken. It is absent without
	// spec.exposure.
	ConditionExposed = "Exposed"
	// ConditionRegistered says that the provider has the webhook as spec.registration asks for it. It is absent without spec.registration, and
	// unknown while a provider that had it cannot be asked.
	ConditionRegistered = "Registered"
	// ConditionConnected says that the destination of a sink takes events, by the last that the receivers have sent there or found out; it is
	// unknown before anything was tried.
	ConditionConnected = "Connected"
	// ConditionBodiesAccepted is False while requests lately had bodies above spec.maxBodySize, or while the journal cannot hold the
	// events of bodies that are as large as that allows. It is absent otherwise, and no part of
	// Ready: anybody may have sent them.
	ConditionBodiesAccepted = "BodiesAccepted"
	// ConditionSignaturesFresh is False while many different bodies lately came with one signature of a provider that signs no body. It is
	// absent otherwise, and no part of Ready: the signature is right.
	ConditionSignaturesFresh = "SignaturesFresh"
	// ConditionStalled says that the object cannot become ready before someone changes it. It is absent otherwise.
	ConditionStalled = "Stalled"
)

// The reasons of conditions that are true.
const (
	// ReasonReconciled says that all is as the object asks.
	ReasonReconciled = "Reconciled"
)

// The reasons of conditions that are not true because of what the object, or something that it refers to, says.
const (
	// ReasonSinkNotFound says that a route, or a dead-letter policy, names an EventSink that does not exist.
	ReasonSinkNotFound = "SinkNotFound"
	// ReasonSinkNotReady says that a route, or a dead-letter policy, names an EventSink that has a problem of its own.
	ReasonSinkNotReady = "SinkNotReady"
	// ReasonSecretNotFound says that a referenced Secret does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonCredentialMissing says that a referenced Secret does not have the key.
	ReasonCredentialMissing = "CredentialMissing"
	// ReasonCredentialInvalid says that a key of a referenced Secret holds nothing that can be used.
	ReasonCredentialInvalid = "CredentialInvalid"
	// ReasonPathConflict says that an older endpoint has the same path.
	ReasonPathConflict = "PathConflict"
	// ReasonInvalidFilter says that the filter of a route does not compile.
	ReasonInvalidFilter = "InvalidFilter"
	// ReasonFilterFailing says that the filter of a route compiles, and fails for events that come.
	ReasonFilterFailing = "FilterFailing"
	// ReasonBodyTooLarge says that bodies were above spec.maxBodySize, and refused.
	ReasonBodyTooLarge = "BodyTooLarge"
	// ReasonEventTooLarge says that events of bodies within spec.maxBodySize may be too large for the journal.
	ReasonEventTooLarge = "EventTooLarge"
	// ReasonSignatureReused says that one signature came with many bodies.
	ReasonSignatureReused = "SignatureReused"
	// ReasonInvalidSettings says that the provider or sink refuses its settings.
	ReasonInvalidSettings = "InvalidSettings"
	// ReasonNotAllowed says that the object asks for what the installation's limits do not allow.
	ReasonNotAllowed = "NotAllowed"
	// ReasonPaused says that state is Paused.
	ReasonPaused = "Paused"
)

// The reasons of conditions that are not true because of the receiver.
const (
	// ReasonMinimumReplicasUnavailable says that no pod of the receiver is available.
	ReasonMinimumReplicasUnavailable = "MinimumReplicasUnavailable"
	// ReasonNameTaken says that an object with the name of one of the receiver's belongs to somebody else.
	ReasonNameTaken = "NameTaken"
	// ReasonApplyFailed says that the API server refuses an object of the receiver.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonConfigurationPending says that not every ready pod of the receiver has loaded the configuration yet.
	ReasonConfigurationPending = "ConfigurationPending"
	// ReasonConfigurationTooLarge says that the configuration of the namespace's receiver does not fit into its Secrets, of which there are nine. The last
	// one stays in force.
	ReasonConfigurationTooLarge = "ConfigurationTooLarge"
	// ReasonReceiverUnreachable says that the manager cannot ask a ready pod of the receiver what it has loaded.
	ReasonReceiverUnreachable = "ReceiverUnreachable"
	// ReasonImagePullFailed says that the container image of the receiver cannot be pulled.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonReceiverCrashing says that pods of the receiver end again and again.
	ReasonReceiverCrashing = "ReceiverCrashing"
	// ReasonUnschedulable says that no node can take the pods of the receiver.
	ReasonUnschedulable = "Unschedulable"
	// ReasonJournalUnavailable says that a pod's journal cannot take events now, so that it answers 503.
	ReasonJournalUnavailable = "JournalUnavailable"
	// ReasonHandoffFailed is the reason of an event, not of a condition: a pod has ended with events that it could give to nobody.
	ReasonHandoffFailed = "HandoffFailed"
)

// The reasons of Connected when it is not true.
const (
	// ReasonCredentialRefused says that the destination does not know the sink, or does not let it deliver.
	ReasonCredentialRefused = "CredentialRefused"
	// ReasonDestinationNotFound says that the server is there and what events go to is not: a path, topic or table.
	ReasonDestinationNotFound = "DestinationNotFound"
	// ReasonDestinationUnreachable says that no connection could be made.
	ReasonDestinationUnreachable = "DestinationUnreachable"
	// ReasonDeliveryFailing says that the destination fails otherwise.
	ReasonDeliveryFailing = "DeliveryFailing"
	// ReasonNothingSent says that nothing was sent yet, and that there is no other way to find out.
	ReasonNothingSent = "NothingSent"
)

// The reasons of Exposed when it is not true.
const (
	// ReasonGatewayAPINotInstalled says that the cluster does not know the kind HTTPRoute.
	ReasonGatewayAPINotInstalled = "GatewayAPINotInstalled"
	// ReasonHostConflict says that another endpoint has the same host and path already.
	ReasonHostConflict = "HostConflict"
	// ReasonHostReserved says that an endpoint of another namespace had the host and path, which an administrator has to give away.
	ReasonHostReserved = "HostReserved"
	// ReasonHostNotAllowed says that the installation does not let the namespace have the host or the path.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonIngressPending says that no controller has taken the Ingress yet.
	ReasonIngressPending = "IngressPending"
	// ReasonRoutePending says that no Gateway has taken the HTTPRoute yet.
	ReasonRoutePending = "RoutePending"
	// ReasonRouteRefused says that a Gateway refuses the HTTPRoute.
	ReasonRouteRefused = "RouteRefused"
)

// The reasons of Registered when it is not true, beside those of a credential.
const (
	// ReasonRegistrationPending says that the endpoint cannot be registered yet, or was not.
	ReasonRegistrationPending = "RegistrationPending"
	// ReasonRegistrationRefused says that the provider does not take the webhook as it is asked for.
	ReasonRegistrationRefused = "RegistrationRefused"
	// ReasonWebhookOccupied says that the provider has room for one webhook, or for a few, and somebody else's is there.
	ReasonWebhookOccupied = "WebhookOccupied"
	// ReasonRateLimited says that the provider takes no more requests of the account for a while.
	ReasonRateLimited = "RateLimited"
	// ReasonProviderUnavailable says that the provider's API cannot be asked, or fails.
	ReasonProviderUnavailable = "ProviderUnavailable"
	// ReasonWebhookRetained is the reason of an event, not of a condition: an endpoint is gone and its webhook is not.
	ReasonWebhookRetained = "WebhookRetained"
)
