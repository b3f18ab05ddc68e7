#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# ./test.sh [LAYER...]: install what the tests need, and run all layers of the table below, or
# those named. --list names them. Works as root, and as a user who may use sudo.
#
# Each layer prints a line a test, "ok NAME", "not ok NAME - why" or "skip NAME - reason", and
# last "N passed, N failed, N skipped". Here these are added up, and skips shown with reasons.
# Exit status 1 if anything failed.
#
# BUILDS         where the build directories go (the checkout)
# DIFFERENTIAL_COUNT  how many mutations of DNS messages (300,000)
# FUZZ_SECONDS   for each fuzz target (60)
# FAULT_SECONDS  how long the storms of the faults last (15)
# FAULT_KILLS    how often the faults kill the tool (40)
# VM_CELLS       only these guests or cells of the emulator's matrix (all)
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/scripts/lib.sh"
cd "$checkout" || exit

builds=${BUILDS:-$checkout}
export BUILDS=$builds
export TCPCONNECT=$builds/build/tcpconnect  # what live, install and bench run
export TCPCONNECT_BUILD=$builds/build       # what the emulator runs
export DIFFERENTIAL_COUNT=${DIFFERENTIAL_COUNT:-300000} FUZZ_SECONDS=${FUZZ_SECONDS:-60}
export FAULT_SECONDS=${FAULT_SECONDS:-15} FAULT_KILLS=${FAULT_KILLS:-40}

# layer, who runs it (owner of the checkout, or root), seconds it may take, command
layers="
build        owner   600  scripts/compile
lint         owner   900  tests/lint/run
configure    owner   300  tests/install/configure
unit         owner   900  scripts/unit
differential owner   600  tests/differential/run
fuzz         owner  1800  scripts/fuzz
live         root   1200  tests/live/run
install      root    900  tests/install/run
docs         root    300  tests/docs/run
bench        root    900  tests/bench/run --short
faults       root   1200  tests/faults/run
vm           root  10800  tests/vm/matrix ${VM_CELLS-}
"

passed=0 failed=0 skipped=0
skips=() failures=()

# add LAYER STATUS LOG: count a layer's lines; what they say must agree with how it ended
add() {
	local layer=$1 status=$2 log=$3 p f s line lines reason=
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
	read -r p f s _ < <(sed -E 's/[^0-9]+/ /g' <<<"$line 0 0 0")
	lines=$(grep -aE '^skip ' "$log")
	if [ -z "$line" ]; then
		p=$(grep -acE '^ok ' "$log") f=$(grep -acE '^not ok ' "$log") s=0
		reason="ended without its closing line (status $status)"
	elif [ "$status" = 0 ] && [ "$f" != 0 ]; then
		reason="has failures, and status 0"
	elif [ "$status" != 0 ] && [ "$f" = 0 ]; then
		reason="no failure told, but status $status"
	elif [ "$s" != "$(grep -c . <<<"$lines")" ]; then
		reason="$s skipped, but $(grep -c . <<<"$lines") reasons told"
	elif [ $((p + f + s)) = 0 ]; then
		reason="ran no test"
	fi
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then reason="killed at its time limit"; fi
	while read -r line; do
		failures+=("$layer: ${line#not ok }")
	done < <(grep -aE '^not ok ' "$log")
	while read -r line; do
		[ -z "$line" ] || skips+=("$layer: ${line#skip }")
	done <<<"$lines"
	if [ -n "$reason" ]; then
		f=$((f + 1))
		failures+=("$layer: $reason")
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf -- '-- %s: %d passed, %d failed, %d skipped, %d s%s\n' "$layer" "$p" "$f" "$s" \
		$((SECONDS - began)) "${reason:+; $reason}"
}

run_layer() {
	local layer=$1 user=$2 limit=$3 log began=$SECONDS
	shift 3
	printf '\n== %s: %s\n' "$layer" "$*"
	log=$(mktemp)
	as_"$user" timeout -k 10 "$limit" env "BUILDS=$BUILDS" "TCPCONNECT=$TCPCONNECT" \
		"TCPCONNECT_BUILD=$TCPCONNECT_BUILD" "DIFFERENTIAL_COUNT=$DIFFERENTIAL_COUNT" \
		"FUZZ_SECONDS=$FUZZ_SECONDS" \
		"FAULT_SECONDS=$FAULT_SECONDS" "FAULT_KILLS=$FAULT_KILLS" "CI=${CI-}" \
		"$@" </dev/null 2>&1 | tee "$log"
	add "$layer" "${PIPESTATUS[0]}" "$log"
	rm -f "$log"
}

# Packages: ours, and those that a layer names itself.
install_all() {
	install_packages build test
	[ "$(package_manager)" = apt-get ] || return 0
	mapfile -t more < <({ cat tests/live/packages; tests/vm/install --list; } | sort -u)
	install_named apt-get "${more[@]}"
}

main() {
	local names chosen layer user limit command
	names=$(awk 'NF { print $1 }' <<<"$layers")
	if [ "${1-}" = --list ]; then
		echo "$names"
		exit
	fi
	for layer; do
		grep -qx -- "$layer" <<<"$names" || die "no layer $layer; there are:" "${names//$'\n'/ }"
	done
	chosen=" ${*:-$names} "
	install_all
	# Fetching the emulator's roots takes minutes of waiting: meanwhile the others run.
	if [[ ${chosen//$'\n'/ } == *" vm "* ]]; then
		as_root tests/vm/prepare >/dev/null 2>&1 </dev/null &
		prepare=$!
		trap 'kill "$prepare" 2>/dev/null' EXIT
	fi
	while read -r layer user limit command; do
		# What all others stand on is built in any case.
		if [ "$layer" = build ] || [[ ${chosen//$'\n'/ } == *" $layer "* ]]; then
			# shellcheck disable=SC2086  # words of the table
			run_layer "$layer" "$user" "$limit" $command
		fi
	done < <(awk NF <<<"$layers")

	echo
	[ ${#failures[@]} = 0 ] || printf 'failed  %s\n' "${failures[@]}"
	[ ${#skips[@]} = 0 ] || printf 'skipped %s\n' "${skips[@]}"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ]
}
main "$@"
exit
