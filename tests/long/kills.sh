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
ok "archives to load and import" sh -c '
	printf "FROM base\nRUN echo loaded >/what\nVOLUME /data\nCMD [\"cat\", \"/what\"]\n" >Dockerfile
	"$THIMBLE" build -q -t loaded . && "$THIMBLE" save -o loaded.tar loaded &&
	"$THIMBLE" tag base other && "$THIMBLE" rmi loaded'
"$tests/long/kills.py" "$tap_count" "$(rootfs_tar)"
exit $?
