# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What prepare, boot and matrix share: where things lie, and how the tables are read.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # for those who source this file
checkout=$(cd "$vm_dir/../.." && pwd)
cache=${TCPCONNECT_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tcpconnect-vm}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# table FILE: the file's lines without comments and blank lines, columns parted by one space
table() {
	sed -e 's/#.*//' -e 's/[[:space:]]\{1,\}/ /g' -e 's/ $//' -e '/^$/d' "$vm_dir/$1"
}

# guest NAME: set guest_name, guest_root, ... from its line in the table; 1 if there is none
guest() {
	local line
	line=$(table guests | awk -v name="$1" '$1 == name { print; exit }')
	[ -n "$line" ] || return 1
	# shellcheck disable=SC2034  # read by those who source this file
	read -r guest_name guest_root guest_kernel guest_headers guest_hide guest_libbcc \
		guest_arguments <<<"$line"
}

# reason ITEM: why prepare could not get it ("kernel-bullseye", "root-trixie"); empty if it did
reason() {
	cat "$cache/reason/$1" 2>/dev/null || true
}
