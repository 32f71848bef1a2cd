#!/bin/sh
# save-is-read-by-others.sh with skopeo 1.22 and umoci 0.6.
PEERS_NEWER=1 exec sh "$(dirname "$0")/save-is-read-by-others.sh"
