#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# cgroup-filter.sh DIRECTORY... [-- OPTION...]: trace only what runs in these control groups
# (version 2, directories under /sys/fs/cgroup), with further options for tcpconnect.
#
# Makes a BPF map with the groups' ids and pins it, so that groups can come and go while tracing:
#
#	bpftool map update pinned MAP key ID... value 0 0 0 0 0 0 0 0    (8 bytes each)
#	bpftool map delete pinned MAP key ID...
#
# MAP is /sys/fs/bpf/tcpconnect-cgroups-PID, with the PID of this script. Groups below a directory do
# not count here; where that is wanted, and the set does not change, tcpconnect --cgroup DIRECTORY is
# simpler.
set -euo pipefail
bpffs=${BPFFS:-/sys/fs/bpf}
map=$bpffs/tcpconnect-cgroups-$$
directories=() options=()
while [ $# -gt 0 ]; do
	if [ "$1" = -- ]; then
		shift
		options=("$@")
		break
	fi
	directories+=("$1")
	shift
done
[ ${#directories[@]} -gt 0 ] || { sed -n 's/^# \{0,1\}//; 4,5p' "$0" >&2; exit 2; }

# The id of a control group is the inode number of its directory; the key is in memory order.
key() { perl -e 'print join " ", unpack "C8", pack "Q", $ARGV[0]' "$(stat -c %i "$1")"; }

trap 'rm -f "$map"' EXIT
bpftool map create "$map" type hash key 8 value 8 entries 1024 name cgroups
for directory in "${directories[@]}"; do
	# shellcheck disable=SC2046  # eight words
	bpftool map update pinned "$map" key $(key "$directory") value 0 0 0 0 0 0 0 0
done
trap : INT # Ctrl-C ends tcpconnect; the map goes after it
tcpconnect --cgroupmap "$map" "${options[@]}"
