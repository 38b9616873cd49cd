package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"
)

// chart packages the chart with the Helm that hack/helm pins, as the chart of this version.
func (r *release) chart(ctx context.Context, dist string) error {
	return r.start(ctx, nil, nil, "go", "tool", "-modfile="+filepath.Join(r.root, "hack/helm/go.mod"), "helm", "package",
		"charts/mailvane", "--version", number(r.version), "--app-version", r.version, "--destination", dist)
}

// manifests writes what "kubectl apply --server-side -f" installs, the definitions alone, and the JSON Schemas of the kinds.
func (r *release) manifests(_ context.Context, dist string) error {
	install, err := r.kustomize("default")
	if err != nil {
		return err
	}
	definitions, err := r.kustomize("crd")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"install.yaml": install, "crds.yaml": definitions} {
		if err := writeFile(filepath.Join(dist, name), content); err != nil {
			return err
		}
	}
	schemas, err := schemasOf(definitions)
	if err != nil {
		return err
	}
	return writeArchive(filepath.Join(dist, "schemas-"+r.version+".tar.gz"), r.time, schemas)
}

// kustomize renders a folder of config, with the image of this release.
func (r *release) kustomize(name string) ([]byte, error) {
	// A folder beside it: kustomize takes nothing from outside of the tree that it began in, unless it is named.
	folder, err := os.MkdirTemp(filepath.Join(r.root, "config"), "release")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	overlay, err := yaml.Marshal(r.overlay(name))
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), overlay, 0o600); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("render config/%s: %w", name, err)
	}
	text, err := objects.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("render config/%s: %w", name, err)
	}
	return text, nil
}

// overlay names the image of this release, also for receivers: config/manager has done so with the image that it names itself.
func (r *release) overlay(name string) types.Kustomization {
	overlay := types.Kustomization{
		Resources: []string{"../" + name},
		Images:    []types.Image{{Name: imageName, NewName: r.image, NewTag: r.version}},
	}
	if name != "default" {
		return overlay
	}
	const container = "spec.template.spec.containers.[name=manager]."
	manager := resid.NewResIdKindOnly("Deployment", "mailvane-manager")
	overlay.Replacements = []types.ReplacementField{{Replacement: types.Replacement{
		Source:  &types.SourceSelector{ResId: manager, FieldPath: container + "image"},
		Targets: []*types.TargetSelector{{Select: &types.Selector{ResId: manager}, FieldPaths: []string{container + "env.[name=RECEIVER_IMAGE].value"}}},
	}}}
	return overlay
}
