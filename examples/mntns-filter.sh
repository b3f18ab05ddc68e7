#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# mntns-filter.sh PID... [-- OPTION...]: trace only what shares a mount namespace with one of these
# processes, a container's first process say, with further options for tcpconnect.
#
# Makes a BPF map with the namespaces' inode numbers and pins it, so that containers can come and
# go while tracing:
#
#	bpftool map update pinned MAP key INODE... value 0 0 0 0    (8 bytes, and 4)
#	bpftool map delete pinned MAP key INODE...
#
# MAP is /sys/fs/bpf/tcpconnect-mntns-PID, with the PID of this script.
set -euo pipefail
bpffs=${BPFFS:-/sys/fs/bpf}
map=$bpffs/tcpconnect-mntns-$$
pids=() options=()
usage() { sed -n 's/^# \{0,1\}//; 4,5p' "$0"; }
while [ $# -gt 0 ]; do
	case $1 in
	--) shift; options=("$@"); break ;;
	-h | --help) usage; exit ;;
	-*) usage >&2; exit 2 ;;
	esac
	pids+=("$1")
	shift
done
[ ${#pids[@]} -gt 0 ] || { usage >&2; exit 2; }

# A number of 8 bytes, in memory order.
key() { perl -e 'print join " ", unpack "C8", pack "Q", $ARGV[0]' "$1"; }

trap 'rm -f "$map"' EXIT
bpftool map create "$map" type hash key 8 value 4 entries 1024 name mntns
for pid in "${pids[@]}"; do
	id=$(stat -Lc %i "/proc/$pid/ns/mnt") # of a namespace: its inode number
	# shellcheck disable=SC2046  # eight words
	bpftool map update pinned "$map" key $(key "$id") value 0 0 0 0
done
trap : INT # Ctrl-C ends tcpconnect; the map goes after it
tcpconnect --mntnsmap "$map" "${options[@]}"
