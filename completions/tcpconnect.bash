# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Completion of tcpconnect(8) for bash. Made by completions/make.

# _tcpconnect_words CUR WORDS: those that begin with CUR. Names of processes are among them, and a
# stranger may have chosen those: compgen -W would run the commands that stand in them, and so
# would the line that they are put into.
_tcpconnect_words()
{
	local word words
	read -r -d '' -a words <<<"$2"
	for word in "${words[@]}"; do
		if [[ $word == "$1"* && $word =~ ^[A-Za-z0-9_.:/@+-]+$ ]]; then
			COMPREPLY+=("$word")
		fi
	done
}

# _tcpconnect_list CUR WORDS: the same behind the last comma of CUR
_tcpconnect_list()
{
	local before=
	[[ $1 != *,* ]] || before=${1%,*},
	_tcpconnect_words "${1##*,}" "$2"
	if ((${#COMPREPLY[@]})); then COMPREPLY=("${COMPREPLY[@]/#/$before}"); fi
}

# _tcpconnect_files CUR -f|-d: files, or directories alone
_tcpconnect_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$2" -- "$1")
}

_tcpconnect()
{
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	# "--probe=k" comes as three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $option == = ]]; then
		option=${COMP_WORDS[COMP_CWORD-2]}
	fi
	# Bundled letters: the last one may take a value.
	if [[ $option =~ ^-[A-Za-z0-9]+$ ]]; then option=-${option: -1}; fi
	case $option in
	-p | --pid) _tcpconnect_list "$cur" "$(cd /proc && echo [0-9]*)"; return ;;
	--comm) _tcpconnect_words "$cur" "$(cat /proc/[0-9]*/comm 2>/dev/null)"; return ;;
	-P | --port) return ;;
	--daddr) return ;;
	-u | --uid) _tcpconnect_list "$cur" "$(getent passwd | cut -d: -f3)"; return ;;
	--slow) return ;;
	--netns) _tcpconnect_files "$cur" -f; return ;;
	--cgroup) _tcpconnect_files "$cur" -d; return ;;
	--cgroupmap) _tcpconnect_files "$cur" -f; return ;;
	--mntnsmap) _tcpconnect_files "$cur" -f; return ;;
	--dns-cache) return ;;
	--dns-ttl) return ;;
	-i | --interval) return ;;
	--color) _tcpconnect_words "$cur" 'auto always never'; return ;;
	-n | --lines) return ;;
	-D | --duration) return ;;
	--probe) _tcpconnect_words "$cur" 'auto kprobe fentry tracepoint'; return ;;
	--types) _tcpconnect_words "$cur" 'auto btf headers'; return ;;
	--pages) return ;;
	--cache-dir) _tcpconnect_files "$cur" -d; return ;;
	--user) _tcpconnect_words "$cur" "$(getent passwd | cut -d: -f1)"; return ;;
	esac
	case $cur in
	--*) _tcpconnect_words "$cur" '--ipv4 --ipv6 --pid --comm --port --daddr --uid --failed --slow --netns --cgroup
		--cgroupmap --mntnsmap --timestamp --time --print-uid --lport --result --dns --dns-cache
		--dns-ttl --count --interval --color --json --lines --duration --probe --types --pages
		--cache-dir --no-cache --user --no-sandbox --verbose --check --ebpf --version --help' ;;
	*) _tcpconnect_words "$cur" '-4 -6 -p -P -u -F -t -T -U -L -r -d -c -i -j -n -D -v -V -h
		--ipv4 --ipv6 --pid --comm --port --daddr --uid --failed --slow --netns --cgroup
		--cgroupmap --mntnsmap --timestamp --time --print-uid --lport --result --dns --dns-cache
		--dns-ttl --count --interval --color --json --lines --duration --probe --types --pages
		--cache-dir --no-cache --user --no-sandbox --verbose --check --ebpf --version --help' ;;
	esac
}
complete -F _tcpconnect tcpconnect
