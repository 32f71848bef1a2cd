#!/bin/sh
# shellcheck disable=SC2238
# The options of run.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
ENV FROM_IMAGE=yes BOTH=image
RUN mkdir -p /vol /home/app && echo from-image >/vol/file && chown app /vol/file /home/app
VOLUME /vol
WORKDIR /srv
D
thimble build -q -t it . >/dev/null 2>&1
r() { thimble run --rm "$@"; }
is "$(r it pwd)" /srv "WORKDIR"
is "$(r -w /tmp it pwd)" /tmp "-w"
is "$(r -w /new/dir it pwd)" /new/dir "-w makes the directory"
is "$(r -e BOTH=option -e NEW=1 it sh -c 'echo $FROM_IMAGE $BOTH $NEW')" "yes option 1" "-e"
is "$(PASSED=through r -e PASSED it sh -c 'echo $PASSED')" through "-e NAME alone takes ours"
printf '# comment\nONE=1\nTWO=two words\n' >env
is "$(r --env-file env it sh -c 'echo $ONE $TWO')" "1 two words" "--env-file"
is "$(r -u app it id -un)" app "-u NAME"
is "$(r -u 1234:5678 it sh -c 'echo $(id -u) $(id -g)')" "1234 5678" "-u UID:GID"
is "$(r -u app it sh -c 'echo $HOME')" /home/app "HOME from the image's passwd"
is "$(r -u 4321 it sh -c 'echo $HOME')" / "HOME without a passwd row"
is "$(r it sh -c 'test "$HOSTNAME" = "$(hostname)" && echo same')" same "HOSTNAME"
is "$(r it sh -c 'echo ${TERM-none}')" none "no TERM without -t"
unlike "$(thimble inspect --format '{{json .Config.Env}}' it)" 'HOME|HOSTNAME|TERM' \
	"none of them enters the config"
is "$(r --entrypoint /bin/echo it a b)" "a b" "--entrypoint"
is "$(echo input | thimble run --rm -i it cat)" input "-i"
is "$(echo input | thimble run --rm it cat)" "" "no input without -i"
mkdir bind && echo bound >bind/file
is "$(r -v "$PWD/bind:/mnt" it cat /mnt/file)" bound "-v PATH"
ok "-v PATH is writable" r -v "$PWD/bind:/mnt" it sh -c 'echo w >/mnt/written'
is "$(cat bind/written)" w "and ours"
fails 1 "-v PATH:ro is not" r -v "$PWD/bind:/mnt:ro" it sh -c 'echo w >/mnt/no 2>/dev/null'
ok "-v NAME" r -v vol1:/data it sh -c 'echo kept >/data/file'
is "$(r -v vol1:/data it cat /data/file)" kept "a named volume stays"
is "$(r -v vol2:/vol it cat /vol/file)" from-image "an empty named volume gets the image's files"
r it sh -c 'echo changed >/vol/file'
is "$(r it cat /vol/file)" from-image "a volume of the image is fresh in each run"
is "$(r it stat -c %U /vol/file)" app "with its owners"
ok "--tmpfs" r --tmpfs /scratch it sh -c 'grep -q " /scratch tmpfs" /proc/mounts && touch /scratch/x'
fails 1 "--read-only" r --read-only it sh -c 'touch /x 2>/dev/null'
ok "--read-only leaves volumes writable" r --read-only it touch /vol/x
is "$(r --network none it sh -c 'ls /sys/class/net; cat /proc/net/dev' | grep -cE '(eth|ens|enp)')" 0 \
	"--network none has no interface but lo"
is "$(r it sh -c 'echo gone >/left; echo done')" "done" "what a run writes"
fails 1 "is gone after it" r it cat /left
is "$(r --hostname inside it hostname)" inside "--hostname"
is "$(r --hostname inside it sh -c 'echo $HOSTNAME; grep -c inside /etc/hosts' | tr '\n' ' ')" "inside 1 " \
	"is in the environment and in /etc/hosts"
is "$(r --shm-size 12m it df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2)" 12288 "--shm-size"
is "$(r it df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2)" 65536 "/dev/shm without it"
mkfifo started
"$THIMBLE" run --rm --name one it sh -c 'echo; sleep 20' >started &
read -r _ <started
fails 125 "--name of a container that is there" r --name one it true
like "$err" "one" "is told by name"
kill $!
wait
ok "--name" r --name one it true
is "$(r --rm -t it sh -c 'tty; echo $TERM' | tr -d '\r' | head -n 1)" "/dev/pts/0" "-t"
done_testing
