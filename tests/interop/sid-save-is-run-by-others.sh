#!/bin/sh
# save-is-run-by-others.sh with podman 5.8, umoci 0.6 and crun 1.28.
PEERS_NEWER=1 exec sh "$(dirname "$0")/save-is-run-by-others.sh"
