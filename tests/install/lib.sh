# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the install tests share: verdicts, a scratch directory, a build that can be installed.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
builds=${BUILDS:-$checkout}
# shellcheck disable=SC2034  # for those who source this file
build=$builds/build-install
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ok() {
	echo "ok $1"
	passed=$((passed + 1))
}

# not_ok NAME WHY
not_ok() {
	echo "not ok $1 - $(printf '%s' "$2" | tr '\n\t' '  ' | cut -c1-500)"
	failed=$((failed + 1))
}

skip() {
	echo "skip $1 - $2"
	skipped=$((skipped + 1))
}

# equal NAME GOT WANTED: says the lines that differ
equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "$(diff <(echo "$3") <(echo "$2") | grep '^[<>]' |
			sed 's/^</missing:/; s/^>/beside:/')"
	fi
}

# succeeds NAME COMMAND...: its output is told only if it does not
succeeds() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "status $?: $output"; fi
}

summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}

# configure OPTION...: the build directory, compiled as for a release
configure() {
	cmake -S "$checkout" -B "$build" -DBUILD_TESTING=OFF "$@" >"$work/log" 2>&1 &&
		cmake --build "$build" -j "$(nproc)" >>"$work/log" 2>&1
}
