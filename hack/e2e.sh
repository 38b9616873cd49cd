#!/usr/bin/env bash
# Runs the end-to-end tests on a cluster of its own: starts one, loads the images, tests, and ends it. The folder MAILVANE_K8S_DIR
# (../shared/k8s) holds the programs that do that: "up" (NODES=2) and "down"; "kubectl" and "kubeconfig"; "mkimage NAME OUT.tar
# BINARY..." and "load IMAGE.tar". Arguments go to the tests, such as -short. A cluster that is already there needs none of this:
# see "make e2e".
#
# The release that is upgraded is that of the commit MAILVANE_PREVIOUS, the one before this unless set. Where git does not have it, the
# present one is upgraded.
set -euo pipefail

cd "$(dirname "$0")/.."
k8s=$(realpath "${MAILVANE_K8S_DIR:-../shared/k8s}")
go=${GO:-go}
previous=${MAILVANE_PREVIOUS:-HEAD~1}

if "$k8s/kubeconfig" > /dev/null 2>&1; then
  echo "somebody uses the cluster of $k8s" >&2
  exit 1
fi
work=$(mktemp -d)
finish() {
  "$k8s/down"
  if [[ -d $work/previous ]]; then
    git worktree remove --force "$work/previous"
  fi
  rm -rf "$work"
}
trap finish EXIT

# programs builds packages into a folder, in the form in which they are in images.
programs() {
  local folder=$1
  shift
  CGO_ENABLED=0 "$go" build -tags grpcnotrace -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$folder/" "$@"
}

# The image under test is made as a release makes it.
"$go" -C hack/release run . -C ../.. -platforms "linux/$("$go" env GOARCH)" -image mailvane.test/mailvane:e2e -docker-archive "$work/mailvane.tar"
programs "$work" ./test/load
"$k8s/mkimage" mailvane.test/load:e2e "$work/load.tar" "$work/load"
images=("$work/mailvane.tar" "$work/load.tar")

if commit=$(git rev-parse --verify --quiet "$previous^{commit}") && git worktree add --quiet --detach "$work/previous" "$commit"; then
  echo "Building the release to upgrade from, of commit $commit."
  (cd "$work/previous" && programs "$work/before" ./cmd/manager ./cmd/receiver)
  "$k8s/mkimage" mailvane.test/mailvane:previous "$work/previous.tar" "$work/before/manager" "$work/before/receiver"
  images+=("$work/previous.tar")
  export MAILVANE_PREVIOUS_CHART=$work/previous/charts/mailvane MAILVANE_PREVIOUS_IMAGE=mailvane.test/mailvane:previous
else
  echo "The present release is upgraded to itself: git does not have commit $previous, as in a clone that is shallow." >&2
fi

NODES=${NODES:-2} "$k8s/up"
"$k8s/load" "${images[@]}"
KUBECONFIG=$("$k8s/kubeconfig")
export KUBECONFIG PATH="$k8s:$PATH" MAILVANE_IMAGE=mailvane.test/mailvane:e2e MAILVANE_LOAD_IMAGE=mailvane.test/load:e2e
make e2e E2EFLAGS="$*"
