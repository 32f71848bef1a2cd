#!/bin/sh
# Context files that change, vanish, grow, shrink or become something else while a build reads them:
# the build ends well or says what happened; what it made is whole (index and bytes agree, which a
# forged boot id has checked), and the next build sees what is there then.
#   CHANGING   builds beside each kind of change (default 8)
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/long.sh"
base_image
CHANGING=${CHANGING:-8}
mkdir -p b/d
printf 'FROM base\nCOPY d /d\nCOPY f /f\n' >b/Dockerfile

# Each is called with a number again and again until there is a file `stop`.
rewrite() { head -c 300000 /dev/zero | tr '\0' "$(printf '\\%03o' $((97 + $1 % 26)))" >b/f; }
replace() { echo "$1" >b/new && mv b/new b/f; }
vanish() { rm -f b/d/$(($1 % 7)) b/f; echo "$1" >b/f; echo "$1" >b/d/$((($1 + 3) % 7)); }
grow() { echo "$1 and more and more and more" >>b/f; [ $(($1 % 500)) != 0 ] || : >b/f; }
shrink() { head -c 2000000 /dev/zero >b/f; truncate -s 100 b/f; truncate -s 0 b/f; echo x >b/f; }
become() {
	rm -rf b/d/x
	case $(($1 % 5)) in
	0) echo file >b/d/x ;;
	1) mkdir -p b/d/x/y && echo deep >b/d/x/y/z ;;
	2) ln -s f b/d/x ;;
	3) mkfifo b/d/x ;;
	4) ln -s /etc/passwd b/d/x ;;
	esac
}
modes() { chmod $((700 + $1 % 7)) b/f b/d/*; touch b/f; }
moved() { mv b/d b/e 2>/dev/null; mv b/e b/d 2>/dev/null; }
keep_on() {
	n=0
	while [ ! -e stop ]; do
		n=$((n + 1))
		"$1" $n 2>/dev/null
	done
}

for how in rewrite replace vanish grow shrink become modes moved; do
	rm -rf b/d b/e b/f
	mkdir b/d
	for i in 1 2 3 4 5 6; do echo $i >b/d/$i; done
	echo first >b/f
	keep_on $how &
	changer=$!
	bad=0 made=0 refused=0
	for i in $(seq "$CHANGING"); do
		rm -f "$T/err"
		timeout -k 5 30 "$THIMBLE" build --progress quiet -t it:$how b >"$T/out" 2>"$T/err" </dev/null
		case $? in
		0)
			made=$((made + 1))
			# shellcheck disable=SC2097,SC2098
			THIMBLE_BOOT_ID=$how-$i thimble run --rm it:$how true >"$T/out" 2>"$T/err" || {
				bad=1
				diag "$how $i: what was built does not hold"
				diag_file "$T/err"
			} ;;
		1)
			refused=$((refused + 1))
			grep -q 'because' "$T/err" || { bad=1; diag "$how $i: no reason"; diag_file "$T/err"; }
			! grep -q 'without an answer' "$T/err" || { bad=1; diag_file "$T/err"; } ;;
		*) bad=1; diag "$how $i: ended by a signal, or not in time"; diag_file "$T/err" ;;
		esac
	done
	: >stop
	wait $changer
	rm stop
	[ -d b/d ] || mv b/e b/d 2>/dev/null
	is "$bad" 0 "$how: $made builds made, $refused refused, all well"
	[ $how != become ] || rm -rf b/d/x
	echo "at last $how" >b/f
	echo "at last $how" >b/d/last
	ok "$how: the next build" thimble build --progress quiet -t it:$how b
	is "$(thimble run --rm it:$how cat /f /d/last)" "at last $how
at last $how" "$how: and it has what is there now"
	is "$(left_over)" "" "$how: nothing is left"
done

# The same length and time: only the change time tells.
printf one >b/f
touch -d 2020-01-01 b/f
thimble build -q -t it b >/dev/null
is "$(thimble run --rm it cat /f)" one "a file"
printf two >b/f
touch -d 2020-01-01 b/f
thimble build -q -t it b >/dev/null
is "$(thimble run --rm it cat /f)" two "another of the same size and time"
done_testing
