package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// made returns a release of a root in which programs are a few bytes.
func made(t *testing.T) *release {
	t.Helper()
	r := &release{
		root: t.TempDir(), version: "v1.2.3", image: imageName, commit: strings.Repeat("ab", 20), platforms: allPlatforms(),
		time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), log: io.Discard,
	}
	for _, p := range r.platforms {
		for _, name := range []string{"mailvane", "manager", "receiver"} {
			write(t, filepath.Join(r.programsFolder(p), p.program(name)), name+" of "+p.String())
		}
	}
	write(t, filepath.Join(r.root, "LICENSE"), "the licence")
	write(t, filepath.Join(r.root, "README.md"), "read me")
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := writeFile(path, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v0.1.0", "v1.2.3", "v1.2.3-rc.1"} {
		if err := checkVersion(version); err != nil {
			t.Error(err)
		}
	}
	for _, version := range []string{"", "1.2.3", "v1.2", "v01.2.3", "v1.2.3+build", "v1.2.3 -X main.a=b", "latest"} {
		if err := checkVersion(version); err == nil || !strings.Contains(err.Error(), "v1.2.3") {
			t.Errorf("%q: %v", version, err)
		}
	}
	if _, err := parsePlatforms("linux/amd64,plan9/386"); err == nil || !strings.Contains(err.Error(), "plan9/386") {
		t.Errorf("%v", err)
	}
}

// TestTheFolderIsBelowTheRoot refuses a folder whose content is somebody else's: it is removed.
func TestTheFolderIsBelowTheRoot(t *testing.T) {
	t.Parallel()
	r := made(t)
	for _, folder := range []string{"/tmp", "..", "../dist", ""} {
		if err := r.all(t.Context(), folder); err == nil || !strings.Contains(err.Error(), "below the root") {
			t.Errorf("%q: %v", folder, err)
		}
	}
	if _, err := os.Stat(filepath.Join(r.root, "LICENSE")); err != nil {
		t.Error(err)
	}
}

// TestArchives holds the program with the right to run it, under one name on every platform, in the same bytes each time.
func TestArchives(t *testing.T) {
	t.Parallel()
	r := made(t)
	for _, p := range r.platforms {
		files, err := r.archived(r.programsFolder(p), p)
		if err != nil {
			t.Fatal(err)
		}
		var packed [2][]byte
		for i := range packed {
			path := filepath.Join(t.TempDir(), r.archiveName(p))
			if err := writeArchive(path, r.time, files); err != nil {
				t.Fatal(err)
			}
			if packed[i], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(packed[0], packed[1]) {
			t.Errorf("%s: packed twice, two archives", p)
		}
		unpack := unpackTarGz
		if p.system == "windows" {
			unpack = unpackZip
		}
		got := unpack(t, packed[0])
		if program := got[p.program("mailvane")]; string(program.content) != "mailvane of "+p.String() || program.mode != 0o755 || len(got) != 3 {
			t.Errorf("%s: %v", p, got)
		}
	}
}

func unpackTarGz(t *testing.T, packed []byte) map[string]file {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	return untar(t, plain)
}

func untar(t *testing.T, plain io.Reader) map[string]file {
	t.Helper()
	out, r := map[string]file{}, tar.NewReader(plain)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[header.Name] = file{header.Name, header.FileInfo().Mode(), content}
	}
}

func unpackZip(t *testing.T, packed []byte) map[string]file {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]file{}
	for _, f := range archive.File {
		content, err := fs.ReadFile(archive, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = file{f.Name, f.Mode(), content}
	}
	return out
}

// TestImage reads the layout as a registry's client does: an image for each platform of Linux, valid, without a shell, run by nobody.
func TestImage(t *testing.T) {
	t.Parallel()
	r := made(t)
	dist := t.TempDir()
	if err := r.layout(t.Context(), dist); err != nil {
		t.Fatal(err)
	}
	outer, err := layout.ImageIndexFromPath(filepath.Join(dist, layoutName))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1.2.3" {
		t.Fatalf("%v %v", manifest, err)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	images, err := index.IndexManifest()
	if err != nil || len(images.Manifests) != 2 {
		t.Fatalf("%v %v", images, err)
	}
	for i, want := range []string{"linux/amd64", "linux/arm64"} {
		if got := images.Manifests[i].Platform.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		image, err := index.Image(images.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkImage(t, image, want)
	}
}

func checkImage(t *testing.T, image v1.Image, platform string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.OS+"/"+config.Architecture != platform || config.Config.Labels["org.opencontainers.image.version"] != "v1.2.3" {
		t.Errorf("%+v", config)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%v %v", layers, err)
	}
	plain, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	files := untar(t, plain)
	if len(files) != 6 || string(files["receiver"].content) != "receiver of "+platform || files["manager"].mode != 0o755 {
		t.Errorf("%v", files)
	}
	if n := bytes.Count(files["etc/ssl/certs/ca-certificates.crt"].content, []byte("BEGIN CERTIFICATE")); n < 100 {
		t.Errorf("%d authorities", n)
	}
}

// TestPlugin names what there is, by its checksum.
func TestPlugin(t *testing.T) {
	t.Parallel()
	r := made(t)
	dist := t.TempDir()
	for _, p := range r.platforms {
		write(t, filepath.Join(dist, r.archiveName(p)), p.String())
	}
	if err := r.krew(t.Context(), dist); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dist, "krew.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got plugin
	if err := yaml.UnmarshalStrict(text, &got); err != nil || len(got.Spec.Platforms) != 6 {
		t.Fatalf("%v %v", got, err)
	}
	if len(got.Spec.ShortDescription) > 50 { // the bound of the krew index
		t.Errorf("%q is too long", got.Spec.ShortDescription)
	}
	for i, p := range got.Spec.Platforms {
		sum, err := sumOf(filepath.Join(dist, filepath.Base(p.URI)))
		if err != nil || p.SHA256 != sum || p.Selector.MatchLabels["os"] != r.platforms[i].system || p.Bin != r.platforms[i].program("mailvane") {
			t.Errorf("%+v %v", p, err)
		}
	}
}

// TestSums leaves no file out, and says where the release comes from.
func TestSums(t *testing.T) {
	t.Parallel()
	r := made(t)
	dist := t.TempDir()
	write(t, filepath.Join(dist, "a"), "a")
	write(t, filepath.Join(dist, "sbom/b"), "b")
	if err := r.sums(t.Context(), dist); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n",
		"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  sbom/b\n",
		"  provenance.intoto.json\n",
	} {
		if !strings.Contains(string(sums), line) {
			t.Errorf("%q is not in %s", line, sums)
		}
	}
	var said statement
	text, err := os.ReadFile(filepath.Join(dist, "provenance.intoto.json"))
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || len(said.Subject) != 2 || said.Predicate.BuildDefinition.ResolvedDependencies[0].Digest["gitCommit"] != r.commit {
		t.Errorf("%+v %v", said, err)
	}
}

// TestManifests renders the tree's own: the image of this release and no other, and schemas that take every sample and no typing error.
func TestManifests(t *testing.T) {
	t.Parallel()
	r := made(t)
	r.root = "../.."
	dist := t.TempDir()
	if err := r.manifests(t.Context(), dist); err != nil {
		t.Fatal(err)
	}
	install, err := os.ReadFile(filepath.Join(dist, "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(install, []byte(imageName+":v1.2.3")); n != 2 || bytes.Contains(install, []byte(":latest")) {
		t.Errorf("the image of this release is named %d times", n)
	}
	packed, err := os.ReadFile(filepath.Join(dist, "schemas-v1.2.3.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	files := unpackTarGz(t, packed)
	schemas := map[string]*jsonschema.Schema{}
	for name, f := range files {
		schemas[name] = compile(t, f)
	}
	checked := 0
	for _, object := range samples(t) {
		schema := schemas["mailvane.dev/"+strings.ToLower(object["kind"].(string))+"_v1alpha1.json"]
		if schema == nil {
			continue
		}
		checked++
		if err := schema.Validate(object); err != nil {
			t.Errorf("%s %v: %v", object["kind"], object["metadata"], err)
		}
		object["spec"].(map[string]any)["replcias"] = true
		if schema.Validate(object) == nil {
			t.Errorf("%s %v: a typing error passes", object["kind"], object["metadata"])
		}
	}
	if checked < 30 {
		t.Errorf("only %d samples were checked", checked)
	}
}

func compile(t *testing.T, f file) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.content))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(f.name, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(f.name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// samples returns the objects of config/samples.
func samples(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	err := filepath.WalkDir("../../config/samples", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			var object map[string]any
			if err := yaml.Unmarshal(document, &object); err != nil {
				return err
			}
			if kind, _ := object["kind"].(string); kind != "" {
				out = append(out, object)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
