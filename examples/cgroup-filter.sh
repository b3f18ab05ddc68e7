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
usage() { sed -n 's/^# \{0,1\}//; 4,5p' "$0"; }
while [ $# -gt 0 ]; do
	case $1 in
	--) shift; options=("$@"); break ;;
	-h | --help) usage; exit ;;
	-*) usage >&2; exit 2 ;;
	esac
	directories+=("$1")
	shift
done
[ ${#directories[@]} -gt 0 ] || { usage >&2; exit 2; }

# A number of 8 bytes, in memory order.
key() { perl -e 'print join " ", unpack "C8", pack "Q", $ARGV[0]' "$1"; }

trap 'rm -f "$map"' EXIT
bpftool map create "$map" type hash key 8 value 8 entries 1024 name cgroups
for directory in "${directories[@]}"; do
	id=$(stat -c %i -- "$directory") # of a control group: its directory's inode number
	# shellcheck disable=SC2046  # eight words
	bpftool map update pinned "$map" key $(key "$id") value 0 0 0 0 0 0 0 0
done
trap : INT # Ctrl-C ends tcpconnect; the map goes after it
tcpconnect --cgroupmap "$map" "${options[@]}"
