# SPDX-License-Identifier: Apache-2.0
"""peak.py FILE COMMAND...: runs it, writes to FILE the most memory (KiB) that it or any process it
waited for had at once, and ends with its status. It is ended after 120 s."""
import resource
import subprocess
import sys

try:
    status = subprocess.run(sys.argv[2:], timeout=120).returncode
except subprocess.TimeoutExpired:
    print('still running after 120 s', file=sys.stderr)
    status = 124
with open(sys.argv[1], 'w') as f:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=f)
sys.exit(status if status >= 0 else 128 - status)
