#!/usr/bin/env bash
# Fails when a generated file is not what "make generate" makes of the sources, or when go.mod is not tidy.
# It compares with the files as they are, committed or not, and leaves what it generated in place.
set -euo pipefail

cd "$(dirname "$0")/.."

generated=(README.md api receiver internal charts/mailvane/files config/crd/bases config/policy config/rbac docs/reference)
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -a --parents "${generated[@]}" "$before"

echo "Generating again and comparing."
make --no-print-directory generate

status=0
for path in "${generated[@]}"; do
  diff -ru "$before/$path" "$path" || status=1
done
go mod tidy -diff || status=1

if [[ $status -ne 0 ]]; then
  echo "The files above are not up to date: run \"make generate\" and \"go mod tidy\"." >&2
fi
exit "$status"
