#!/usr/bin/env bash
# Metadata are set, cleared, renamed and dropped after the fact.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

expect_exit 64 cellvec update --db db
expect_exit 64 cellvec update --db db --set gene=X
expect_exit 64 cellvec update --db db --set gene=X --metadata cells.csv --where "gene = 'G0'"
expect_exit 64 cellvec update --db db --set gene --where "gene = 'G0'"
expect_exit 66 cellvec update --db db --metadata nothing.csv

expect_exit 0 cellvec update --db db --set gene=BAG6 dose=2.5 --clear remark --where "gene = 'G0'" --csv
expect_stdout '^gene,string,4,0,0$'
expect_stdout '^dose,number,4,0,0$'
expect_stdout '^remark,string,0,4,0$'
expect_stderr '^new field: dose$'
expect_stderr '^changed 4 of 4 cells$'
# The table that was imported has other genes: reading it again undoes the update, and says so.
cellvec backup again --db db >/dev/null 2>&1
expect_exit 0 cellvec import vectors.npy --db again --space s --metadata cells.csv --type localization=list
expect_stderr '^warning: values of 4 cells were replaced by those of the table, which undoes updates of theirs$'
expect_exit 0 cellvec import vectors.npy --db again --space s --metadata cells.csv --type localization=list
expect_equal "nothing is replaced twice" "$(grep -c replaced "$_err")" 0
expect_exit 0 cellvec list --db db --where "gene = 'BAG6' AND dose > 2 AND remark IS NULL" --csv
expect_lines 5
expect_exit 0 cellvec check --db db

# What is exported, changed and read again.
cellvec export --db db --metadata out.csv --quiet
sed -i 's/BAG6/AAMP/' out.csv
expect_exit 0 cellvec update --db db --metadata out.csv --dry-run --json
expect_json
expect_exit 0 cellvec list --db db --where "gene = 'AAMP'" --json
expect_lines 0
expect_exit 0 cellvec update --db db --metadata out.csv
expect_stderr '^joined by cell$'
expect_stderr '^changed 4 of 40 cells$'
expect_exit 0 cellvec update --db db --metadata out.csv
expect_stderr '^changed 0 of 40 cells$'

# A list of one name with a comma is the same again, also where the table has no other list.
expect_exit 0 cellvec update --db db --set 'localization=Cytoplasm, rim;' --where "cell = 5" --quiet
for lists in "export --metadata one.csv --quiet" "list --csv"; do
  # shellcheck disable=SC2086 # words of a command
  cellvec $lists --db db --where "cell = 5" >listed.csv
  [[ $lists == list* ]] && cut -d , -f 1,3- listed.csv >one.csv
  expect_exit 0 cellvec update --db db --metadata one.csv
  expect_stderr '^changed 0 of 1 cells$'
done

printf 'gene,ensembl\nAAMP,ENSG1\nG3,ENSG3\nG99,ENSG9\n' >genes.csv
expect_exit 0 cellvec update --db db --metadata genes.csv --join gene
expect_stderr '^warning: 1 lines of the table match no cell: 4$'
expect_exit 0 cellvec list --db db --where "ensembl = 'ENSG3'" --csv
expect_lines 5

expect_exit 0 cellvec fields --db db
expect_stdout '^ensembl +string +8 +2$'
expect_exit 0 cellvec fields rename ensembl ensembl_id --db db
expect_exit 64 cellvec fields rename ensembl_id gene --db db
expect_exit 64 cellvec fields rename ensembl_id rank --db db
expect_exit 66 cellvec fields rename ensmbl_id x --db db
expect_exit 64 cellvec fields drop ensembl_id --db db
expect_stderr '^cellvec: --yes: is needed where nobody can be asked, to drop field ensembl_id with the values of 8 cells$'
expect_exit 0 cellvec fields drop ensembl_id --db db --yes --quiet
expect_silence
expect_exit 0 cellvec fields --db db --json
expect_json
expect_lines 5
expect_exit 0 cellvec check --db db
finish
