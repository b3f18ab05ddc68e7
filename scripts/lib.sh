# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What run.sh and test.sh share: who does what, and how packages are installed.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
program=${0##*/}

say() {
	printf '%s: %s\n' "$program" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# as_root COMMAND...: as root, by sudo if need be
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "needs root: start this as root, or install sudo"
		sudo -- "$@"
	fi
}

# as_owner COMMAND...: under `sudo ./run.sh` too, what is built belongs to the checkout's owner.
# In that case alone: root at work in a stranger's checkout stays root.
as_owner() {
	if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ] &&
		[ "$(stat -c %u "$checkout")" = "$SUDO_UID" ]; then
		sudo -u "#$SUDO_UID" -- "$@"
	else
		"$@"
	fi
}

# The package manager of this machine: the column of scripts/packages, or nothing.
package_manager() {
	local manager
	for manager in apt-get dnf pacman zypper; do
		if command -v "$manager" >/dev/null; then
			echo "$manager"
			return
		fi
	done
}

# wanted_packages MANAGER KIND...: their names, one a line
wanted_packages() {
	local manager=$1 column
	shift
	case $manager in
	apt-get) column=2 ;;
	dnf) column=3 ;;
	pacman) column=4 ;;
	zypper) column=5 ;;
	esac
	awk -v kinds=" $* " -v column="$column" \
		'!/^#/ && NF && index(kinds, " " $1 " ") && $column != "-" { print $column }' \
		"$checkout/scripts/packages" | sort -u
}

# missing_packages MANAGER NAME...: those of them that are not installed, one a line. What another
# package provides counts.
missing_packages() {
	local manager=$1 name
	shift
	for name; do
		case $manager in
		apt-get)
			[ "$(dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
				head -n 1)" = installed ] ;;
		dnf | zypper) rpm -q --whatprovides "$name" >/dev/null 2>&1 ;;
		pacman) pacman -T "$name" >/dev/null ;;
		esac || printf '%s\n' "$name"
	done
}

# Nothing is ever asked: not by debconf, not about changed files, not about restarts.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none \
		NEEDRESTART_SUSPEND=1 apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# The machine's own lists first: only when they miss a package, or name a version that is gone
# from the mirror, new ones are fetched.
install_by_apt() {
	apt --no-install-recommends install "$@" && return
	apt update || true # a broken third-party source among them is not our matter
	apt --no-install-recommends install "$@"
}

# install_named MANAGER NAME...: have these packages; says one line when it installs
install_named() {
	local manager=$1 missing log
	shift
	mapfile -t missing < <(missing_packages "$manager" "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing by $manager: ${missing[*]}"
	log=$(mktemp)
	case $manager in
	apt-get) install_by_apt "${missing[@]}" ;;
	dnf) as_root dnf -q -y install "${missing[@]}" </dev/null ;;
	# Never -Sy alone: new lists without the upgrade are a partial upgrade.
	pacman) as_root pacman -S --noconfirm --needed "${missing[@]}" </dev/null ;;
	zypper) as_root zypper -n -q install "${missing[@]}" </dev/null ;;
	esac >"$log" 2>&1 || true
	# What counts is what is there now, whatever the manager's exit status.
	mapfile -t missing < <(missing_packages "$manager" "${missing[@]}")
	if [ ${#missing[@]} -gt 0 ]; then
		grep -iE '^(E:|Err|error)' "$log" | sort -u | tail -n 6 >&2 || true
		say "could not install: ${missing[*]}"
		die "is there a network, and does the mirror answer? (all of $manager's words: $log)"
	fi
	rm -f "$log"
}

# install_packages KIND...: have all packages of these kinds
install_packages() {
	local manager names
	manager=$(package_manager)
	if [ -z "$manager" ]; then
		say "no apt-get, dnf, pacman or zypper here: cmake will say what is missing"
		return
	fi
	mapfile -t names < <(wanted_packages "$manager" "$@")
	install_named "$manager" "${names[@]}"
}
