#!/bin/sh
# shellcheck disable=SC2016  # templates and what steps expand
# Flags of build that other scripts do not give, and what a wrong value is told.
. "$(dirname "$0")/../lib/tap.sh"
base_image
printf 'FROM base\nRUN echo x >/x\n' >Dockerfile
ok "--label" thimble build -q -t it --label who=me --label 'two words=x=y' .
is "$(thimble inspect -f '{{json .Config.Labels}}' it)" '{"two words":"x=y","who":"me"}' "stands in the config"
printf 'FROM base\nLABEL who=file\n' >Labels
ok "with LABEL" thimble build -q -t labels -f Labels --label who=flag .
is "$(thimble inspect -f '{{.Config.Labels.who}}' labels)" flag "the flag wins"
ok "--annotation" thimble build -q --annotation org.example.a=b -o type=oci,dest=layout,tar=false .
is "$(python3 -c '
import json
def blob(d): return json.load(open("layout/blobs/" + d["digest"].replace(":", "/")))
print(blob(json.load(open("layout/index.json"))["manifests"][0])["annotations"]["org.example.a"])')" b \
	"stands in the manifest"
ok "--load" thimble build -q -t loaded --load .
ok "the image is in the store" thimble run loaded cat /x
ok "--metadata-file" thimble build -q -t meta:1 -t meta:2 --metadata-file meta.json --iidfile iid .
is "$(python3 -c '
import json
d = json.load(open("meta.json"))
print(d["containerimage.config.digest"] == open("iid").read(), d["containerimage.digest"][:7], d["image.name"])')" \
	"True sha256: docker.io/library/meta:1,docker.io/library/meta:2" "holds the digests and the names"
is "$(python3 -c 'import json; print(json.load(open("meta.json"))["containerimage.digest"])')" \
	"$(thimble inspect -f '{{.Descriptor.digest}}' meta:1)" "the digest is the manifest's"
fails 1 "a file that cannot be written" thimble build -q --metadata-file none/meta.json .
like "$err" '--metadata-file none/meta.json' "is named"
fails 1 "--iidfile too" thimble build -q --iidfile none/iid .
like "$err" '--iidfile none/iid' "is named"

cat >Network <<'D'
FROM base
RUN ls /sys/class/net | grep -vx lo | wc -l >/count
D
ok "--network none" thimble build -q -t net --no-cache --network none -f Network .
is "$(thimble run net cat /count)" 0 "steps see no device but lo"
ok "--network host" thimble build -q -t net --no-cache --network host -f Network .
is "$(thimble run net cat /count)" "$(ls /sys/class/net | grep -cvx lo)" "steps see this machine's"
fails 2 "a network that is none" thimble build -q --network bridge .
like "$err" 'bridge' "is refused by name"

here=$(thimble inspect -f '{{.Os}}/{{.Architecture}}' base)
ok "--platform of this machine" thimble build -q -t plat --platform "$here" .
fails 1 "another platform" thimble build -q --platform linux/s390x .
like "$err" '--platform linux/s390x: this machine is linux/' "is refused"
like "$err" 'comes in a later version' "with what to expect"
fails 1 "what is no platform" thimble build -q --platform nonsense .
like "$err" "'nonsense' is neither an operating system nor an architecture" "is told"

printf 'FROM base\nRUN df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2 >/size\n' >Shm
ok "--shm-size" thimble build -q -t shm --no-cache --shm-size 12m -f Shm .
is "$(thimble run shm cat /size)" 12288 "is the size of /dev/shm in steps"
ok "without it" thimble build -q -t shm --no-cache -f Shm .
is "$(thimble run shm cat /size)" 65536 "it has docker's size"
fails 1 "a size that is none" thimble build -q --shm-size big .
like "$err" '--shm-size big: it takes a size such as 64m' "is told"

# --build-arg, --build-context, --add-host, -t: what is malformed
fails 1 "--build-arg without a name" thimble build -q --build-arg =x .
like "$err" "--build-arg '=x': it takes NAME or NAME=VALUE" "is told"
fails 1 "--label without a value" thimble build -q --label x .
like "$err" '--label x: it takes NAME=VALUE' "is told"
fails 1 "--build-context without a value" thimble build -q --build-context x .
like "$err" '--build-context x: it takes NAME=VALUE' "is told"
fails 1 "--add-host without an address" thimble build -q --add-host x .
like "$err" '--add-host x: it takes HOST:IP' "is told"
fails 1 "-t with a digest" thimble build -q -t "it@sha256:$(printf '%064d' 0)" .
like "$err" 'a name to give cannot hold a digest' "is told"
fails 1 "-t scratch" thimble build -q -t scratch .
like "$err" "'scratch' is no image" "is told"
fails 2 "a flag that does not take a value" thimble build -q --no-cache=maybe .
like "$err" "true or false, not 'maybe'" "is told"
for later in '--secret id=x' '--cache-from x' --squash '--ulimit x' '--isolation x'; do
	# shellcheck disable=SC2086  # a flag and its value
	fails 2 "${later%% *}" thimble build -q $later .
	like "$err" "flag ${later%% *}: " "is refused by name, not ignored"
done
done_testing
