#!/usr/bin/env bash
# Runs the end-to-end tests on a cluster of its own: starts one, loads the images, tests, and ends it. The folder MAILVANE_K8S_DIR
# (../shared/k8s) holds the programs that do that: "up" (NODES=2) and "down"; "kubectl" and "kubeconfig"; "mkimage NAME OUT.tar
# BINARY..." and "load IMAGE.tar". Arguments go to the tests, such as -short. A cluster that is already there needs none of this:
# see "make e2e".
set -euo pipefail

cd "$(dirname "$0")/.."
k8s=$(realpath "${MAILVANE_K8S_DIR:-../shared/k8s}")
go=${GO:-go}

if "$k8s/kubeconfig" > /dev/null 2>&1; then
  echo "somebody uses the cluster of $k8s" >&2
  exit 1
fi
work=$(mktemp -d)
finish() {
  "$k8s/down"
  rm -rf "$work"
}
trap finish EXIT

CGO_ENABLED=0 "$go" build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$work/" ./cmd/manager ./cmd/receiver ./test/load
NODES=${NODES:-2} "$k8s/up"
"$k8s/mkimage" mailvane.test/mailvane:e2e "$work/mailvane.tar" "$work/manager" "$work/receiver"
"$k8s/mkimage" mailvane.test/load:e2e "$work/load.tar" "$work/load"
"$k8s/load" "$work/mailvane.tar" "$work/load.tar"
KUBECONFIG=$("$k8s/kubeconfig")
export KUBECONFIG PATH="$k8s:$PATH" MAILVANE_IMAGE=mailvane.test/mailvane:e2e MAILVANE_LOAD_IMAGE=mailvane.test/load:e2e
make e2e E2EFLAGS="$*"
