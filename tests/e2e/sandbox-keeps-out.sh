#!/bin/sh
# What a hostile step or image cannot do: read the store, other builds' files or what rootfs:/ hides,
# lead the masks of /proc astray, remove files through a link, write to the user's terminal, outlive
# itself.
. "$(dirname "$0")/../lib/tap.sh"
cc -static -O1 -o probe "$tests/lib/probe.c" || exit 1
base_image
echo 'canary of another build' >"$T/w/secret"
chmod 600 "$T/w/secret"

# ---- images whose links lie where thimble mounts ----
for dir in proc sys dev; do
	for link in /tmp tmp / ..; do
		rm -rf tree && mkdir tree && tar -C tree -xf "$(rootfs_tar)" 2>/dev/null
		rm -rf "tree/$dir" && ln -s "$link" "tree/$dir"
		tar -C tree -cf evil.tar .
		thimble import -c 'ENV PATH=/bin' evil.tar evil >/dev/null
		fails 125 "/$dir -> $link is refused" thimble run --rm evil true
		like "$err" "'/$dir' of the image is a symbolic link" "and said why"
		printf 'FROM evil\nRUN true\n' >Dockerfile
		fails 1 "in a build too" thimble build --no-cache -q .
	done
done
rm -rf tree && mkdir tree && tar -C tree -xf "$(rootfs_tar)" 2>/dev/null
mkdir -p tree/dev && rm -rf tree/dev/null && ln -s "$T/w/secret" tree/dev/null
tar -C tree -cf evil.tar .
thimble import -c 'ENV PATH=/bin' -c 'VOLUME /dev' evil.tar evil >/dev/null
for how in '' -i; do
	# shellcheck disable=SC2086
	run thimble run --rm $how evil sh -c 'cat /proc/keys; echo x >/proc/keys; cat /proc/self/mountinfo'
	unlike "$out$err" "canary|$T/w/secret" "a volume on /dev with a link hides nothing of ours (run $how)"
done
is "$(cat secret)" 'canary of another build' "nor writes to it"

mkdir -p "$T/aim/victim"
dockerfile <<D
FROM base
RUN ln -s /newdir /l
RUN --mount=type=tmpfs,target=/l/victim mv /newdir /x && ln -s $T/aim /newdir
D
run thimble build --no-cache -q .
ok "a mount point is not removed through a link that took its place" test -d "$T/aim/victim"

before=$(stat -c '%a %u %Z' /dev/null)
printf 'FROM base\nRUN chmod 600 /dev/null; chown 12 /dev/null; touch /dev/null; true\n' >Dockerfile
ok "a step that changes its /dev/null" thimble build --no-cache -q .
is "$(stat -c '%a %u %Z' /dev/null)" "$before" "does not change ours"

# Not every machine has these; where something else lies on /sys it is masked all the same.
mkdir -p sys/devices/system/cpu/cpu0/thermal_throttle sys/firmware
echo 7 | tee sys/firmware/f >sys/devices/system/cpu/cpu0/thermal_throttle/count
run thimble run --rm -v "$PWD/sys:/sys:ro" base ls /sys/devices/system/cpu/cpu0/thermal_throttle /sys/firmware
is "$status" 0 "what docker masks in /sys is there"
unlike "$out" '^(count|f)$' "and empty"

# ---- the store, and other builds ----
# shellcheck disable=SC2016  # the step's shell
printf 'FROM base\nRUN for p in %s %s /proc/1/root%s /proc/self/root%s /..%s; do ls $p >/dev/null 2>&1 && echo REACHED $p; done; find / -xdev -name stamp -o -xdev -name "snapshots" | grep . ; true\n' \
	"$T/store" "$T/w/secret" "$T/store" "$T/store" "$T/store" >Dockerfile
run thimble build --no-cache --progress plain -t looked .
is "$status" 0 "a step that looks for the store"
unlike "$out$err" '(^|[0-9] )(REACHED [^$]|/.*(stamp|snapshots)$)' "does not find it"

# ---- our own program ----
# What an image makes us execute may lead to /proc/self/exe: it must not be thimble that it finds
# there, which it could change then. The image has what thimble needs to start.
rm -rf own && mkdir own
ldd "$THIMBLE" 2>/dev/null | sed -n 's/^[^/]*\(\/[^ ]*\).*/\1/p' >libs
while read -r lib; do
	mkdir -p "own${lib%/*}" && cp "$lib" "own$lib"
done <libs
ln -s /proc/self/exe own/link
printf '#!/proc/self/exe\n' >own/script && chmod 755 own/script
echo 'int main(void) { return 0; }' >interp.c
cc -Wl,--dynamic-linker=/proc/self/exe -o own/interp interp.c || exit 1
printf 'FROM base\nCOPY own /\n' >Dockerfile
ok "an image whose programs are /proc/self/exe" thimble build -q -t own .
for name in /proc/self/exe /link /script /interp; do
	run thimble run --rm own $name version
	test "$status" -ge 126
	tap_result $? "run $name starts nothing" || diag_file "$T/out"
	unlike "$out$err" '^thimble [0-9]|Usage' "not thimble"
	printf 'FROM own\nRUN ["%s", "version"]\n' $name >Dockerfile
	fails 1 "nor does a step ($name)" thimble build --no-cache -q .
done
printf 'FROM own\nRUN readlink /proc/self/exe /proc/1/exe >/exes; ls -l /proc/1/ >>/exes 2>&1; true\n' >Dockerfile
ok "a step that looks for executables" thimble build --no-cache -q -t exes .
unlike "$(thimble run --rm exes cat /exes)" thimble "does not see ours"

# ---- rootfs:/ ----
dockerfile <<D
FROM host
RUN for p in /root /home /srv /opt /mnt /media /boot /var/lib /var/log /run /etc/shadow /etc/gshadow /etc/ssh /etc/sudoers $T/w/secret /usr/../root/.bashrc /bin/../home; do \
	[ ! -e \$p ] || [ -z "\$(ls -A \$p 2>/dev/null)" ] || echo "SHOWN \$p"; done >/seen; \
	ls / >>/seen
D
if thimble build --no-cache -q --build-context host=rootfs:/ -t onhost . >/dev/null 2>"$T/err"; then
	thimble cp onhost:/seen seen
	seen=$(cat seen)
	unlike "$seen" SHOWN "rootfs:/ shows none of the machine's own places"
	like "$seen" '^usr$' "but usr"
else
	diag_file "$T/err"
	tap_result 1 "rootfs:/ builds"
fi
printf 'FROM scratch\nCOPY --from=host /root /home /x/\n' >Dockerfile
ok "its /root and /home can be copied" thimble build --no-cache -q -t homes --build-context host=rootfs:/ .
unlike "$(thimble cp homes:/x - | tar -t | grep -v '/$')" . "and have no files"
for path in /etc/shadow "/home/$(id -un)/.profile" /root/.bashrc "$T/w/secret" /usr/../etc/shadow; do
	printf 'FROM scratch\nCOPY --from=host %s /x\n' "$path" >Dockerfile
	fails 1 "COPY --from=rootfs:/ does not reach $path" \
		thimble build --no-cache -q --build-context host=rootfs:/ .
done

# ---- the terminal ----
printf 'FROM base\nRUN printf "\\033]0;owned\\007\\033[2J\\233H\\033[6n visible \\r over\\b\\n"; printf "\\033c" >&2; exit 3\n' >Dockerfile
for progress in plain auto tty; do
	script -qec "$THIMBLE build --no-cache --progress $progress ." "$T/typescript" >/dev/null 2>&1 </dev/null
	LC_ALL=C grep -aqE "$(printf '\033(]0;owned|\\[2J|\\[6n|c)|\233')" "$T/typescript"
	tap_result $(($? == 0)) "a step's escapes do not reach the terminal (--progress $progress)"
	grep -aq visible "$T/typescript"
	tap_result $? "but its words do ($progress)"
done
printf 'FROM base\nCOPY probe /probe\nRUN /probe outside /x >/seen; echo >/dev/tty || true\n' >Dockerfile
script -qec "$THIMBLE build --no-cache --progress plain -q -t tty ." "$T/typescript" >/dev/null 2>&1 </dev/null
is "$(thimble run --rm tty cat /seen | grep ^REACHED)" "" "on a terminal a step types nothing into it"
script -qec "$THIMBLE run --rm tty /probe outside /x" "$T/typescript" >/dev/null 2>&1 </dev/null
grep -aq '^kept typing' "$T/typescript"
tap_result $? "run on a terminal ran"
unlike "$(cat "$T/typescript")" 'REACHED' "and without -t is on none"
script -qec "$THIMBLE run --rm -t tty /probe see" "$T/typescript" >/dev/null 2>&1 </dev/null
like "$(tr -d '\r' <"$T/typescript")" '^fd 0 /dev/pts/0' "with -t it has one of its own"

# ---- what takes all there is ----
left() { pgrep -c '^probe-bomb'; }
run timeout 60 "$THIMBLE" run --rm tty /probe bomb 300
is "$status" 0 "a program that leaves 300 processes ends"
is "$(left)" 0 "and they with it"
printf 'FROM tty\nRUN /probe bomb 300 >/made\n' >Dockerfile
ok "so does a step" timeout 60 "$THIMBLE" build --no-cache -q -t bombed .
is "$(left)" 0 "and all of its processes"
like "$(thimble run --rm bombed cat /made)" '^made 300' "which were there"
run thimble run --rm tty sh -c '/probe fill /dev/shm/x; df /dev/shm | tail -n 1'
like "$out" '^full after [0-9]{8}: No space left' "/dev/shm is full at its size"
printf 'FROM tty\nRUN /probe fill /dev/shm/x; /probe fill /dev/x; true\n' >Dockerfile
ok "a step that fills /dev/shm and /dev ends" thimble build --no-cache -q -t filled .
run thimble run --rm filled ls /dev/shm
is "$out" "" "and nothing of it stays"
test -z "$(ls "$T/store/containers")"
tap_result $? "no container is left"
unlike "$(cat /proc/self/mountinfo)" "$T" "nor a mount"
done_testing
