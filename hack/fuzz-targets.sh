#!/usr/bin/env bash
# Prints "package target" for every fuzz target of the module.
set -euo pipefail

cd "$(dirname "$0")/.."

git ls-files --cached --others --exclude-standard '*_test.go' | while read -r file; do
  # grep finds nothing in most files.
  { grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" || true; } | while read -r _ target; do
    echo "./$(dirname "$file") $target"
  done
done
