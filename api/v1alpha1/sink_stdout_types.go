package v1alpha1

// StdoutSink writes events to the receiver's standard output, one CloudEvents JSON object per line. It has no settings.
type StdoutSink struct{}
