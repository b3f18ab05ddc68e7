#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./run.sh [OPTION]...: install what the build needs, build into build/, run build/tcpconnect with
# the options. Works as root, and as a user who may use sudo. Where nothing is to do, all it costs
# is one find: nothing is asked of the package manager, of cmake, or of make.
set -eu
self=$(readlink -f "$0")
root=${self%/*}
build=$root/build
stamp=$build/.run-stamp
tool=$build/tcpconnect

# Has a source changed since the last build began? A directory's time tells of files that came
# and went.
changed() {
	[ -x "$tool" ] && [ -f "$stamp" ] || return 0
	[ -n "$(find "$root" -mindepth 1 \( -name '.*' -o -path "$root/build*" \
		-o -path "$root/tests" -o -path "$root/man" -o -path "$root/examples" \
		-o -path "$root/packaging" -o -path "$root/completions" -o -name '*.md' \
		-o -name '*.sh' \) -prune -o -newer "$stamp" -print -quit)" ]
}

if changed; then
	"$root/scripts/build" || exit
fi

if [ "$(id -u)" = 0 ]; then exec "$tool" "$@"; fi
for option; do
	case $option in
	# What only prints needs no root, and so no password.
	-h | --help | -V | --version | --ebpf | --check) exec "$tool" "$@" ;;
	esac
done
command -v sudo >/dev/null || {
	echo "run.sh: tracing needs root: start this as root, or install sudo" >&2
	exit 1
}
exec sudo -- "$tool" "$@"
