package v1alpha1

// FileSink appends events to a file of the receiver, one CloudEvents JSON object per line. Only a receiver that was given a folder for
// such files has them.
type FileSink struct {
	// path is the file's name in the folder that the receiver was given for such files, such as events.jsonl or audit/events.jsonl.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$')",message="must be a relative name: letters, digits, '_', '.' and '-', each part, between '/', beginning with a letter, a digit or '_'"
	Path string `json:"path,omitempty"`
}
