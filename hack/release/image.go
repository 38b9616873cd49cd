package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is whom the programs run as: the numbers of distroless images, as in the Dockerfile.
const user = "65532:65532"

// layoutName is the folder of the image in a release.
const layoutName = "image"

// layout writes the image of all platforms as an OCI layout, which skopeo, crane and oras copy to a registry.
func (r *release) layout(_ context.Context, dist string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range r.imagePlatforms() {
		image, err := r.imageOf(p)
		if err != nil {
			return fmt.Errorf("image of %s: %w", p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.system, Architecture: p.architecture}},
		})
	}
	path, err := layout.Write(filepath.Join(dist, layoutName), empty.Index)
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	tag := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version})
	if err := path.AppendIndex(index, tag); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}

// dockerArchive builds the image of the first platform, and writes it for "docker load".
func (r *release) dockerArchive(ctx context.Context, path string) error {
	platforms := r.imagePlatforms()
	if len(platforms) == 0 {
		return errors.New("-platforms: an image is of linux")
	}
	p := platforms[0]
	if err := r.build(ctx, p, r.programsFolder(p), "manager", "receiver"); err != nil {
		return err
	}
	image, err := r.imageOf(p)
	if err != nil {
		return fmt.Errorf("image of %s: %w", p, err)
	}
	tag, err := name.NewTag(r.image)
	if err != nil {
		return fmt.Errorf("-image: %w", err)
	}
	if err := tarball.WriteToFile(path, tag, image); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}

// imageOf is the image of a platform, of the programs that were built for it: what the Dockerfile makes, too.
func (r *release) imageOf(p platform) (v1.Image, error) {
	files, err := r.imageFiles(p)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if err := writeTar(&content, r.time, files); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	config := &v1.ConfigFile{
		OS: p.system, Architecture: p.architecture, Created: v1.Time{Time: r.time},
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{User: user, Labels: r.labels()},
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "hack/release", Comment: "certificates, manager and receiver"},
	})
	if err != nil {
		return nil, fmt.Errorf("add the layer: %w", err)
	}
	return mutate.Annotations(image, r.labels()).(v1.Image), nil
}

// labels say what the image is, by the names of the OCI image specification (annotations.md).
func (r *release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    "Mailvane",
		"org.opencontainers.image.version":  r.version,
		"org.opencontainers.image.revision": r.commit,
		"org.opencontainers.image.source":   "https://" + module,
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.created":  r.time.Format("2006-01-02T15:04:05Z"),
	}
}

// imageFiles are the files of the image of a platform.
func (r *release) imageFiles(p platform) ([]file, error) {
	files := []file{
		{"etc/", os.ModeDir | 0o755, nil},
		{"etc/ssl/", os.ModeDir | 0o755, nil},
		{"etc/ssl/certs/", os.ModeDir | 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()},
	}
	for _, program := range []string{"manager", "receiver"} {
		content, err := os.ReadFile(filepath.Join(r.programsFolder(p), program))
		if err != nil {
			return nil, fmt.Errorf("read the program: %w", err)
		}
		files = append(files, file{program, 0o755, content})
	}
	return files, nil
}

// authorities returns the certificates of public authorities that Mozilla trusts, at the version that go.mod pins. Those that it trusts
// only for what was issued before some day are left out: a file of certificates cannot say that.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // into memory
		}
	}
	return out.Bytes()
}
