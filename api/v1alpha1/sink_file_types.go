package v1alpha1

// FileSink appends events to a file of the receiver, one CloudEvents JSON object per line.
type FileSink struct {
	// path is the file's path. A relative path begins at the receiver's working directory.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`
}
