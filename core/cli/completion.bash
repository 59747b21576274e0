# Completion for bash of sim and its programs. In the source tree: . core/cli/completion.bash
#
# What can follow is asked of the programs themselves: `sim complete WORD...`, and --help of the others.

# The words up to the cursor as the person sees them, in `words`, and where each begins in COMP_WORDS,
# in `begins`: bash has cut them at COMP_WORDBREAKS too, which has : and =.
_sim_words() {
	local line=${COMP_LINE:0:COMP_POINT} word i
	words=() begins=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i == 0)) || [[ $line == [[:blank:]]* ]]; then
			line=${line#"${line%%[![:blank:]]*}"}
			words+=('') begins+=("$i")
		fi
		((${#word} <= ${#line})) || word=$line
		words[${#words[@]} - 1]+=$word
		line=${line:${#word}}
	done
}

# One answer of sim for the word `current`.
_sim_take() {
	local value=${current#--*=}
	case $1 in
	:files) mapfile -t found < <(compgen -f -- "$value") && files=1 ;;
	:folders) mapfile -t found < <(compgen -d -- "$value") && files=1 ;;
	:topologies)
		mapfile -t found < <(compgen -f -X '!*.y*ml' -- "$value")
		((${#COMPREPLY[@]} + ${#found[@]})) && [[ $value != */* ]] ||
			mapfile -t -O "${#found[@]}" found < <(compgen -d -- "$value")
		((${#found[@]} == 0)) || files=1
		;;
	:command*)
		if declare -F _command_offset >/dev/null; then
			_command_offset "${begins[${1#:command } + 1]}"
			return
		elif ((${#words[@]} == ${1#:command } + 2)); then
			mapfile -t found < <(compgen -c -- "$value")
		else
			mapfile -t found < <(compgen -f -- "$value") && files=1
		fi
		;;
	*) found=("$1") ;;
	esac
	COMPREPLY+=("${found[@]}")
}

_sim() {
	local words begins answers answer found files='' current kept program
	_sim_words
	current=${words[${#words[@]} - 1]}
	program=${words[0]/#\~\//$HOME/}
	COMPREPLY=()
	mapfile -t answers < <("$program" complete "${words[@]:1}" 2>/dev/null)
	for answer in "${answers[@]}"; do
		_sim_take "$answer"
		[[ $answer != :command* ]] || return 0
	done
	# Readline puts the answer in the place of what stands behind the last break.
	kept=${current%"${current##*["$COMP_WORDBREAKS"]}"}
	COMPREPLY=("${COMPREPLY[@]#"$kept"}")
	[[ -z $files ]] || compopt -o filenames
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace
}

# dhcp-server and the others: commands and options are those of --help; values are files, and hosts.
_sim_program() {
	local help word=$2
	help=$("$1" --help 2>/dev/null) || return
	case $word in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^  \(--[a-z-]*\).*/\1/p' <<<"$help")" -- "$word") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -A hostname -- "$word")
		((COMP_CWORD > 1)) || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
			compgen -W "$(sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help")" -- "$word")
		compopt -o filenames
		;;
	esac
}

complete -F _sim sim
complete -F _sim_program dhcp-server dhcp-client dhcp-relay ftp-server ftp-client
