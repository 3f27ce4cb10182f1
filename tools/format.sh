#!/usr/bin/env bash
# Formats the C++ sources with clang-format-19, or with --check says which are not formatted.
# usage: tools/format.sh [--check] [FILE...]
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run --Werror); shift; fi
if [ $# = 0 ]; then mapfile -t files < <(git ls-files '*.h' '*.cc'); else files=("$@"); fi
[ ${#files[@]} -gt 0 ] || exit 0
exec clang-format-19 -style=file "${mode[@]}" "${files[@]}"
