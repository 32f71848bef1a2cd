#!/bin/sh
# load-what-others-save.sh with skopeo 1.22 and buildah 1.43.
PEERS_NEWER=1 exec sh "$(dirname "$0")/load-what-others-save.sh"
