#!/usr/bin/env bash
# What a shell offers when a command line is completed: verbs, also behind "help", options, and files of the right kind.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir lab.cellvec plates
touch vectors.npy cells.csv vectors.txt
expect_exit 0 cellvec --generate-completion-script bash
cp "$_out" completions.bash
expect_exit 0 bash -n completions.bash

# offered LINE: what bash offers at the end of the line, in one line.
# shellcheck disable=SC2016 # expanded by the inner shell
offered() {
  bash -c '
    source ./completions.bash
    COMP_LINE=$1 COMP_POINT=${#1}
    read -ra COMP_WORDS <<<"$1"
    if [[ $1 == *" " ]]; then COMP_WORDS+=(""); fi
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _cellvec cellvec "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' - "$1" | sort -u | tr '\n' ' '
}
expect_equal "verbs" "$(offered 'cellvec se')" "search "
expect_equal "options" "$(offered 'cellvec list --li')" "--limit "
expect_equal "verbs behind help" "$(offered 'cellvec help in')" "index ingest "
expect_equal "and theirs" "$(offered 'cellvec help index ')" "build drop status "
expect_equal "none behind the last" "$(offered 'cellvec help search ')" " "
expect_equal "folders for databases" "$(offered 'cellvec list --db ')" "lab.cellvec plates "
expect_equal "folders of images" "$(offered 'cellvec ingest pl')" "plates "
expect_equal "arrays" "$(offered 'cellvec import ve')" "vectors.npy "
expect_equal "tables" "$(offered 'cellvec import vectors.npy --metadata ce')" "cells.csv "
expect_equal "values" "$(offered 'cellvec search --metric l')" "l2 "

for shell in zsh fish; do
  expect_exit 0 cellvec --generate-completion-script "$shell"
  expect_stdout 'ingest import export planes crops update'
  if command -v "$shell" >/dev/null; then
    cp "$_out" "completions.$shell"
    expect_exit 0 "$shell" -n "completions.$shell"
  else
    echo "skipped: completions in $shell, which is not installed"
  fi
done
if command -v zsh >/dev/null; then
  # What zsh is told may follow the words, in place of offering it.
  # shellcheck disable=SC2016 # expanded by the inner shell
  of_zsh() {
    zsh -fc '
      compdef() { :; }
      _arguments() { print -rl -- "$@"; }
      source ./completions.zsh
      words=(help "$@" "")
      _cellvec_help' zsh "$@" | sed -n 's/^2:verb:(\(.*\))$/\1/p'
  }
  expect_equal "verbs of a verb behind help in zsh" "$(of_zsh index)" "build drop status"
  expect_equal "and none of one that has none" "$(of_zsh search)" ""
fi
expect_exit 0 cellvec --generate-completion-script fish
cp "$_out" completions.fish
if command -v fish >/dev/null; then
  of_fish() { HOME=$PWD fish -c "source completions.fish; complete -C '$1'" | cut -f 1 | sort | tr '\n' ' '; }
  expect_equal "verbs behind help in fish" "$(of_fish 'cellvec help in')" "index ingest "
  expect_equal "and theirs in fish" "$(of_fish 'cellvec help index ')" "build drop status "
fi
expect_exit 64 cellvec --generate-completion-script tcsh
finish
