#!/bin/sh
# What thimble saves is loaded and run by podman, and unpacked by umoci and run by crun.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
peers_tools
base_image

# As peers.md has it: crun refuses both versions of cgroups side by side, and podman asks for more
# open files and processes than this machine may give.
cat >containers.conf <<'C'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
pids_limit = 0
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
C
export CONTAINERS_CONF="$T/w/containers.conf"
# shellcheck disable=SC2016  # for the inner shell
cgroup2() {
	[ -z "${PEERS_NEWER-}" ] || { sid "$@"; return; }
	unshare --mount sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
}
umoci() { peer umoci "$@"; }
podman() {
	cgroup2 podman --root "$T/podman" --runroot "$T/podman-run" --storage-driver overlay "$@"
}

echo content >file
dockerfile <<'D'
FROM base
RUN mkdir -p /srv/old/deep /data && echo old >/srv/old/deep/f && echo keep >/srv/keep
COPY --chown=1000:50 --chmod=4750 file /srv/file
RUN ln /srv/file /srv/hard && rm -r /srv/old /etc/passwd && mkdir /srv/old && chown 1000:50 /data && \
    printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:50::/:/bin/sh\n' >/etc/passwd
ENV KEY="a value"
WORKDIR /srv
USER app
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $KEY; pwd; id -u; id -g; cat keep; ls old; stat -c '%a %u %g %h' hard; cat hard; stat -c %u /data"]
D
want='a value
/srv
1000
50
keep
4750 1000 50 2
content
1000'
ok "built" thimble build -q -t localhost/it:one .
id=$(thimble images -q --no-trunc localhost/it:one)
ok "thimble runs it" thimble run --rm localhost/it:one
is "$out" "$want" "and prints"
printf 'FROM base\nENV KEY=two\nCMD ["/bin/hello"]\n' >Dockerfile
ok "another" thimble build -q -t localhost/it:two .

for kind in "oci --compression gzip" "oci --compression zstd" "oci --compression none" docker; do
	# shellcheck disable=SC2086  # words
	ok "$kind: saved" thimble save --format $kind -o it.tar localhost/it:one
	ok "$kind: podman load" podman load -q -i it.tar
	ok "$kind: podman image inspect" podman image inspect --format '{{.Id}}' localhost/it:one
	is "sha256:$out" "$id" "$kind: with the same id"
	ok "$kind: podman run" podman run --rm --network none --cgroups disabled localhost/it:one
	is "$out" "$want" "$kind: prints the same"
	podman rmi -f localhost/it:one >/dev/null
done
ok "two images in a docker archive" thimble save --format docker -o two.tar localhost/it:one localhost/it:two
ok "podman load" podman load -q -i two.tar
for n in one two; do
	is "sha256:$(podman image inspect --format '{{.Id}}' "localhost/it:$n")" \
		"$(thimble images -q --no-trunc "localhost/it:$n")" "$n: with the same id"
done

ok "two images in a layout" thimble save --format oci-dir -o layout localhost/it:one localhost/it:two
ok "umoci ls" umoci ls --layout layout
tag=$(grep one "$T/out")
isnt "$tag" "" "names the first"
ok "umoci unpack" umoci unpack --image "layout:$tag" bundle
# umoci's limits are more than this machine may give; there is no terminal here.
cat >config.py <<'P'
import json
c = json.load(open('bundle/config.json'))
del c['process']['rlimits']
c['process']['terminal'] = False
json.dump(c, open('bundle/config.json', 'w'))
P
ok "its config" python3 config.py
ok "crun run" cgroup2 crun --root "$T/crun" --cgroup-manager disabled run --bundle bundle "it$$"
is "$out" "$want" "prints the same"
done_testing
