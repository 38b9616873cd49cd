package wire

import "io/fs"

// samplesFolder is where a provider's folder keeps its sample requests.
const samplesFolder = "samples"

// Samples returns the sample requests of a provider's embedded files under their bare names; nil when there are none.
func Samples(files fs.FS) fs.FS {
	samples, err := fs.Sub(files, samplesFolder)
	if err != nil {
		return nil
	}
	return samples
}
