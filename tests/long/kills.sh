#!/bin/sh
# kill -9 of a command, or of any one of its processes, at random moments: the store stays valid,
# every image that was there runs, nothing is left running, mounted, locked or half-made, and the
# same command then succeeds.
#   KILLS   rounds (default 24)
#   SEED    of the random moments (default: the day)
. "$(dirname "$0")/../lib/tap.sh"
base_image
KILLS=${KILLS:-24} SEED=${SEED:-$(date +%Y%j)}
export KILLS SEED
echo "# $KILLS rounds, SEED=$SEED"
dd if=/dev/urandom of=blob bs=1M count=4 2>/dev/null
printf 'FROM base\nRUN echo loaded >/what\nVOLUME /data\nCOPY blob /blob\nCMD ["cat", "/what"]\n' >Dockerfile
printf 'FROM loaded\nRUN mkdir /d && for i in $(seq 200); do seq $i >/d/$i; done && cp /blob /more\n' >large
ok "archives to load, images to save" sh -c '
	"$THIMBLE" build -q -t loaded . && "$THIMBLE" build -q -t large -f large . &&
	"$THIMBLE" save -o loaded.tar loaded && "$THIMBLE" save --format docker -o docker.tar loaded &&
	"$THIMBLE" save --compression zstd -o zstd.tar loaded &&
	"$THIMBLE" tag base other && "$THIMBLE" rmi loaded'
"$tests/long/kills.py" "$tap_count" "$(rootfs_tar)"
exit $?
