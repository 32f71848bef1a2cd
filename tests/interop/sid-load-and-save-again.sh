#!/bin/sh
# load-and-save-again.sh with podman 5.8, buildah 1.43, skopeo 1.22 and umoci 0.6.
PEERS_NEWER=1 exec sh "$(dirname "$0")/load-and-save-again.sh"
