#!/usr/bin/env bash
# From images to a page with figures, with pictures of cells and without.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec simulate fields --fields 24 --size 128 --cells-per-field 3 --seed 1 --quiet
cellvec models seed tiny.safetensors --width 64 --depth 1 --heads 1 --patch 8 --image-size 32 \
  --inputs nucleus,protein --quiet >/dev/null
for strategy in map replicate; do
  cellvec ingest fields --db db --backbone tiny.safetensors --strategy $strategy --space $strategy --crop 48 \
    --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --metadata fields/metadata.csv --quiet >/dev/null
done

# check_page FILE: the page is XML, fetches nothing and runs nothing; prints its figures, one a line.
check_page() {
  python3 - "$1" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
page = tree.parse(sys.argv[1]).getroot()
names = [element.tag.split("}")[1] for element in page.iter()]
assert "script" not in names and "link" not in names and "iframe" not in names
for element in page.iter():
    for name, value in element.attrib.items():
        if name in ("href", "src"):
            assert value.startswith(("#", "data:image/png;base64,", "figures/")), value
for figure in page.iter():
    if figure.tag.endswith("}svg"):
        assert figure.get("role") == "img" and len(figure.find("{*}desc").text) > 10
        print(figure.get("aria-labelledby").split("-title")[0])
PYTHON
}

evaluate=(cellvec evaluate --db db --labels localization --group gene --folds 3 --epochs 10 --seed 1 --quiet)
expect_exit 73 "${evaluate[@]}" --output eval.json --report none/first.html
expect_equal "before anything is evaluated" "$(ls eval.json none 2>/dev/null)" ""
expect_exit 0 "${evaluate[@]}" --output eval.json --report first.html
expect_exit 0 check_page first.html
for figure in summary classes precision-recall roc confusion reliability learning samples mistakes map; do
  expect_stdout "^$figure$"
done
expect_exit 0 grep --quiet 'data:image/png;base64,' first.html
expect_exit 0 grep --quiet 'grouped by gene' first.html

expect_exit 0 cellvec report eval.json --db db --output again.html --quiet
expect_silence
expect_equal "the saved evaluation gives the same page" "$(cksum <first.html)" "$(cksum <again.html)"
expect_exit 0 cellvec report eval.json --db db --output report --colors accessible --space replicate
expect_stderr '^wrote report/report.html with [0-9]+ figures$'
expect_exit 0 check_page report/report.html
expect_equal "each figure is a file" "$(sort .stdout)" "$(cd report/figures && ls -- *.svg | sed 's/.svg$//' | sort)"
if grep --quiet 'librsvg-2.so.2: cannot be loaded' .stderr; then
  ok "without librsvg there are no PNGs, and a word says so"
else
  expect_equal "as PNG, too" "$(cd report/figures && ls -- *.svg | sed 's/.svg$//')" \
    "$(cd report/figures && ls -- *.png | sed 's/.png$//')"
fi

# What an earlier report has and a later one lacks is gone; files of others stay.
expect_exit 0 "${evaluate[@]}" --fraction 0.5,1 --output parts.json
expect_exit 0 cellvec report parts.json --db db --output parts
expect_exit 0 test -e parts/figures/few-shot.svg
printf 'mine' >parts/figures/notes.txt
cp parts/figures/few-shot.svg parts/figures/kept.svg
expect_exit 0 cellvec report eval.json --db db --output parts
expect_equal "figures of the later one alone, beside what is somebody's" "$(ls parts/figures | LC_ALL=C sort)" \
  "$( (ls report/figures && printf 'notes.txt\nkept.svg\n') | LC_ALL=C sort)"

# Another database with cells of the same numbers, and the same one with its cells numbered anew, show other cells.
cp eval.json page.html
expect_exit 64 cellvec report page.html --output page.html
expect_equal "what is read is not written over" "$(cksum <eval.json)" "$(cksum <page.html)"
cellvec simulate others --fields 24 --size 128 --cells-per-field 3 --seed 2 --quiet
for strategy in map replicate; do
  cellvec ingest others --db other --backbone tiny.safetensors --strategy $strategy --space $strategy --crop 48 \
    --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --metadata others/metadata.csv --quiet >/dev/null
done
expect_exit 0 cellvec report eval.json --db other --output other.html
expect_stderr '^warning: [0-9]+ of [0-9]+ cells have no picture: cell [0-9]+: is another cell in this database.*name the database that was evaluated'
expect_exit 1 grep --quiet -E 'data:image/png|figure-map' other.html
cp -r db copy
cellvec delete --db copy --where "well = 'A01'" --yes --quiet >/dev/null
expect_exit 0 cellvec report eval.json --db copy --output deleted.html
expect_exit 0 grep --quiet 'data:image/png' deleted.html
cellvec compact --db copy --renumber --quiet >/dev/null
expect_exit 0 cellvec report eval.json --db copy --output renumbered.html
expect_stderr '^warning: [0-9]+ of [0-9]+ cells have no picture: cell [0-9]+: (is another cell|is of image|was evaluated).*after compact --renumber'
expect_exit 1 grep --quiet -E 'data:image/png|figure-map' renumbered.html
expect_exit 0 grep --quiet 'Missing pictures' renumbered.html
cellvec models seed narrow.safetensors --width 32 --depth 1 --heads 1 --patch 8 --image-size 32 \
  --inputs nucleus,protein --quiet >/dev/null
cellvec ingest fields --db narrow --backbone narrow.safetensors --strategy map --space map --crop 48 \
  --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
  --metadata fields/metadata.csv --quiet >/dev/null
expect_exit 0 cellvec report eval.json --db narrow --space map --output narrow.html
expect_stderr '^warning: [0-9]+ of [0-9]+ cells have no picture: space "map": is of another backbone in this database'

# Of another database that calls the space otherwise, the pictures are its own.
cp -r other wide
expect_exit 0 cellvec spaces rename map wide-map --db wide
transfer=(cellvec evaluate --spaces map --labels localization --group gene --epochs 5 --quiet --test-db wide)
expect_exit 65 "${transfer[@]}" --db db
expect_stderr 'test with --shared-groups'
expect_exit 0 "${transfer[@]}" --db db --shared-groups --output transfer.json --report transfer.html
expect_exit 0 grep --quiet 'data:image/png;base64,' transfer.html
expect_exit 0 grep --quiet 'name in wide' transfer.html
expect_exit 0 cellvec report transfer.json --db db --output learned.html
expect_stderr 'no picture: .*the tested cells are those of database "wide": name it with --db, not the one that was learned from'
expect_exit 0 cellvec report transfer.json --db wide --output again.html --quiet
expect_equal "the saved evaluation knows the other name" "$(cksum <transfer.html)" "$(cksum <again.html)"
# Images are known by their pixels.
expect_exit 65 "${transfer[@]}" --db other --shared-groups
expect_stderr 'database "wide": has [0-9]+ images that are learned from, too, such as "P1_'

# Without the database, and with images that have gone or are others now.
expect_exit 0 cellvec report eval.json --output alone.html
expect_exit 0 grep --quiet 'Without the database there are no pictures' alone.html
expect_exit 1 grep --quiet 'data:image' alone.html
mkdir elsewhere
expect_exit 0 env --chdir=elsewhere "$CELLVEC" report ../eval.json --db ../db --output ../elsewhere.html --quiet
expect_silence
expect_equal "from another folder the images are found beside the database" "$(cksum <first.html)" "$(cksum <elsewhere.html)"
# Files of the same names with other pixels hide nothing, in the folder that is worked in or another one.
mkdir elsewhere/fields
for file in fields/*_nucleus.png; do
  cp "$file" elsewhere/fields
  cp "$file" "elsewhere/fields/$(basename "$file" _nucleus.png)_protein.png"
done
expect_exit 0 env --chdir=elsewhere "$CELLVEC" report ../eval.json --db ../db --output ../hidden.html --quiet
expect_silence
expect_equal "other files of the names are passed over" "$(cksum <first.html)" "$(cksum <hidden.html)"
mkdir mixed
mv elsewhere/fields mixed/fields
mv fields moved
cp moved/*.png mixed
expect_exit 0 cellvec report eval.json --db db --output moved.html
expect_stderr '^warning: ([0-9]+) of \1 cells have no picture: .*cannot open.*with cellvec report --images'
expect_exit 0 check_page moved.html
expect_exit 0 grep --quiet 'Missing pictures' moved.html
for folder in moved "$PWD/moved" mixed; do
  expect_exit 0 cellvec report eval.json --db db --images "$folder" --output found.html --quiet
  expect_silence
  expect_equal "images in $(basename "$folder") are found by their names" "$(cksum <first.html)" "$(cksum <found.html)"
done
expect_exit 0 cellvec report eval.json --db db --images elsewhere --output found.html
expect_stderr '^warning: ([0-9]+) of \1 cells have no picture: .*name another folder with --images'
expect_exit 0 cellvec report eval.json --db db --images mixed/fields --output found.html
expect_stderr '^warning: ([0-9]+) of \1 cells have no picture: .*is no longer the image that was ingested'
mv moved fields
expect_exit 64 cellvec report eval.json --images mixed --output x.html
expect_stderr '^cellvec: --images: has the images of a database, and none is named; '
for folder in none eval.json; do
  expect_exit 66 cellvec report eval.json --db db --images "$folder" --output x.html
  expect_stderr "^cellvec: $folder: is no folder"
done

# Ctrl-C ends the drawing, and leaves what was there: nothing, or all of an earlier report.
if ls report/figures/*.png >/dev/null 2>&1; then
  # interrupt.py FOLDER COUNT: status 130 however the program ends by it; stdout tells whether the signal itself was the end.
  cat >interrupt.py <<'PYTHON'
import glob, os, signal, subprocess, sys, time
drawing = subprocess.Popen([os.environ["CELLVEC"], "report", "eval.json", "--output", sys.argv[1]])
while not glob.glob(sys.argv[1] + "/figures/*.partial") and drawing.poll() is None:
    time.sleep(0.001)
drawing.send_signal(signal.SIGINT)
for _ in range(1, int(sys.argv[2])):
    # While one is pending, another is merged with it.
    time.sleep(0.002)
    drawing.send_signal(signal.SIGINT)
status = drawing.wait()
if status == -signal.SIGINT:
    print("signal")
sys.exit(130 if status == -signal.SIGINT else status)
PYTHON
  # interrupt_twice FOLDER: again until the second one was the end. It may come when the first has been heeded.
  interrupt_twice() {
    for _ in {1..20}; do
      expect_exit 130 python3 interrupt.py "$1" 2
      if grep --quiet '^signal$' "$_out"; then break; fi
    done
    expect_stdout '^signal$'
  }
  # contents: the earlier report and all that lies beside its files.
  contents() { cksum report/report.html* report/figures/*; }
  expect_exit 130 python3 interrupt.py stopped 1
  expect_stderr '^cellvec: interrupted; nothing was saved; run the same command to begin again$'
  expect_equal "there is nothing" "$(ls -d stopped 2>/dev/null)" ""
  printf 'older' >report/report.html
  before=$(contents)
  expect_exit 130 python3 interrupt.py report 1
  expect_equal "the earlier report is as it was" "$(contents)" "$before"
  # A second one ends it at once, and leaves nothing unfinished either.
  interrupt_twice report
  expect_equal "the earlier report is as it was, at once" "$(contents)" "$before"
  interrupt_twice stopped
  expect_equal "there is nothing, at once" "$(ls -d stopped 2>/dev/null)" ""
  # To the first process of a container, a signal that it leaves to the system does nothing: it ends by itself.
  if unshare --map-current-user --pid --fork true 2>/dev/null; then
    # shellcheck disable=SC2016
    expect_exit 129 unshare --map-current-user --pid --fork bash -c '
      (until ls stopped/figures/*.partial; do sleep 0.001; done; kill -HUP 1) >/dev/null 2>&1 &
      exec env --default-signal=HUP "$CELLVEC" report eval.json --output stopped'
    expect_equal "there is nothing in a container" "$(ls -d stopped 2>/dev/null)" ""
  fi
fi
cp fields/P1_A01_s1_protein.png kept.png
for file in fields/*_protein.png; do cp kept.png "$file"; done
expect_exit 0 cellvec report eval.json --db db --output changed.html
expect_stderr 'is no longer the image that was ingested'

expect_exit 66 cellvec report eval.json --output x.html --space none
expect_stderr 'spaces: map, replicate'
expect_exit 66 cellvec report eval.json --output x.html --cells 100000
expect_stderr 'cell 100000: is no sample that was tested'
expect_exit 66 cellvec report none.json --output x.html
expect_exit 65 cellvec report fields/metadata.csv --output x.html
expect_exit 73 cellvec report eval.json --output none/report
expect_exit 73 cellvec report eval.json --output eval.json
expect_stderr 'eval.json: exists and is no folder'
expect_exit 64 cellvec report eval.json
expect_equal "and nothing is left behind" "$(ls x.html 2>/dev/null)" ""

# Imported vectors, with names that are HTML.
python3 - <<'PYTHON'
import npy
npy.save("hostile.npy", (60, 4), [((i * 7 + j * 3) % 11) / 11 + (i % 2) * (j == 0) for i in range(60) for j in range(4)])
with open("hostile.csv", "w") as file:
    file.write("gene,label\n")
    for i in range(60):
        label = '"<script>alert(1)</script> & ""quoted"""' if i % 2 else "<b>bold</b>"
        file.write(f"\"<i>G{i // 4}</i>\",{label}\n")
PYTHON
cellvec import hostile.npy --db hostile --space '<u>s</u>' --metadata hostile.csv --quiet >/dev/null
expect_exit 0 cellvec evaluate --db hostile --labels label --group gene --folds 3 --epochs 5 --quiet --report hostile.html
expect_exit 0 check_page hostile.html
expect_exit 0 grep --quiet '&lt;script&gt;alert(1)&lt;/script&gt;' hostile.html
expect_exit 1 grep --quiet -E '<script|<b>|<i>|<u>' hostile.html
expect_exit 0 grep --quiet 'was imported: nothing says how cells are cut' hostile.html
finish
