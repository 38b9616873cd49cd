package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// platform is an operating system and an architecture, by their names in Go.
type platform struct{ system, architecture string }

// String returns the platform as container registries write it.
func (p platform) String() string { return p.system + "/" + p.architecture }

// program returns the name of a program's file.
func (p platform) program(name string) string {
	if p.system == "windows" {
		return name + ".exe"
	}
	return name
}

func allPlatforms() []platform {
	return []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"}}
}

// parsePlatforms reads a list of some of the platforms.
func parsePlatforms(list string) ([]platform, error) {
	var out []platform
	for name := range strings.SplitSeq(list, ",") {
		system, architecture, _ := strings.Cut(name, "/")
		p := platform{system, architecture}
		if !slices.Contains(allPlatforms(), p) {
			return nil, fmt.Errorf("platform %q: there is %s", name, joined(allPlatforms()))
		}
		out = append(out, p)
	}
	return out, nil
}

func joined(platforms []platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return strings.Join(names, ", ")
}

// imagePlatforms are those of the platforms that containers have.
func (r *release) imagePlatforms() []platform {
	return slices.DeleteFunc(slices.Clone(r.platforms), func(p platform) bool { return p.system != "linux" })
}

// build builds programs for a platform into a folder: no paths, no build ID, no revision, no C, as the Dockerfile does.
func (r *release) build(ctx context.Context, p platform, folder string, programs ...string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("make a folder for programs: %w", err)
	}
	arguments := []string{"build", "-tags=grpcnotrace", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -X " + module + "/internal/version.set=" + r.version}
	arguments = append(arguments, "-o", folder+string(filepath.Separator))
	for _, name := range programs {
		arguments = append(arguments, "./cmd/"+name)
	}
	return r.start(ctx, nil, []string{"CGO_ENABLED=0", "GOOS=" + p.system, "GOARCH=" + p.architecture}, "go", arguments...)
}

// programsFolder is where the programs of a platform are built: beside what is published.
func (r *release) programsFolder(p platform) string {
	return filepath.Join(r.root, "bin/release", p.system+"-"+p.architecture)
}

// programs makes one archive of the mailvane program for each platform, and builds what the image holds.
func (r *release) programs(ctx context.Context, dist string) error {
	for _, p := range r.platforms {
		names := []string{"mailvane"}
		if p.system == "linux" {
			names = append(names, "manager", "receiver")
		}
		folder := r.programsFolder(p)
		if err := r.build(ctx, p, folder, names...); err != nil {
			return err
		}
		files, err := r.archived(folder, p)
		if err != nil {
			return err
		}
		if err := writeArchive(filepath.Join(dist, r.archiveName(p)), r.time, files); err != nil {
			return err
		}
	}
	return nil
}

// archived are the files of an archive of programs.
func (r *release) archived(folder string, p platform) ([]file, error) {
	var files []file
	for _, source := range []struct {
		path, name string
		mode       os.FileMode
	}{
		{filepath.Join(folder, p.program("mailvane")), p.program("mailvane"), 0o755},
		{filepath.Join(r.root, "LICENSE"), "LICENSE", 0o644},
		{filepath.Join(r.root, "README.md"), "README.md", 0o644},
	} {
		content, err := os.ReadFile(source.path)
		if err != nil {
			return nil, fmt.Errorf("archive of %s: %w", p, err)
		}
		files = append(files, file{source.name, source.mode, content})
	}
	return files, nil
}

// archiveName returns the name of the archive of a platform: zip for Windows, which opens nothing else by itself.
func (r *release) archiveName(p platform) string {
	extension := ".tar.gz"
	if p.system == "windows" {
		extension = ".zip"
	}
	return fmt.Sprintf("mailvane-%s-%s-%s%s", r.version, p.system, p.architecture, extension)
}
