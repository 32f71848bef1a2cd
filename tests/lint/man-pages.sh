#!/bin/sh
# Every command has its manual page, and the page names every flag of it, and no flag besides.
. "$(dirname "$0")/../lib/tap.sh"
cd "$TOP" || exit 1
tab=$(printf '\t')

# What thimble has: "PAGE FLAG" a line.
"$THIMBLE" __commands >"$T/all" || exit 1
ok "there are commands" grep -q "^images${tab}thimble-images.1" "$T/all"
cut -f 2 "$T/all" | sort -u >"$T/pages"
while read -r page; do
	ok "$page is there" test -f "man/$page.scd"
	ok "$page is well-formed" sh -c 'scdoc <"man/$1.scd" >/dev/null' sh "$page"
	awk -F '\t' -v page="$page" '$2 == page { for (i = 3; i <= NF; i++) print $i }' "$T/all" | sort -u >"$T/have"
	# Flags are told as "*-x*, *--long* VALUE" at the beginning of a line of OPTIONS.
	sed -n '/^# OPTIONS/,/^# [^O]/s/^\(\*-.*\)$/\1/p' "man/$page.scd" |
		grep -oE '\*--?[a-z-]+\*|\*-[A-Za-z]\*' | tr -d '*' | grep -v -x -e --help -e -h | sort -u >"$T/told"
	missing=$(comm -23 "$T/have" "$T/told" | tr '\n' ' ')
	is "$missing" '' "$page names every flag"
	extra=$(comm -13 "$T/have" "$T/told" | tr '\n' ' ')
	is "$extra" '' "$page names no flag that does not exist"
done <"$T/pages"
for file in man/*.scd; do
	page=$(basename "$file" .scd)
	ok "$page is about a command" grep -qx "$page" "$T/pages"
done
done_testing
