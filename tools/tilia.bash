# Completion of tilia(1) for bash. What it knows comes from `tilia help --words`:
# a line a command, its name and its options.

_tilia()
{
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} words line i

	words=$("${COMP_WORDS[0]}" help --words 2>/dev/null) || return
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$words")" -- "$word")
		return
	fi
	if [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$words")" -- "$word")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] || continue
		[[ $command == work || $command == lock ]] && compopt -o default
		return
	done
	if [[ $previous == --space || $previous == -s ||
	      $command == space && $COMP_CWORD == 3 && $word != -* ]]; then
		line=$("${COMP_WORDS[0]}" space list 2>/dev/null | cut -d' ' -f1)
		mapfile -t COMPREPLY < <(compgen -W "$line" -- "$word")
		return
	fi
	if [[ $command == space && $COMP_CWORD == 2 && $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "create alter drop list bury kick" -- "$word")
		return
	fi
	if [[ $word == -* ]]; then
		line=$(grep "^$command " <<<"$words") || return
		mapfile -t COMPREPLY < <(compgen -W "${line#* }" -- "$word")
		return
	fi
	[[ $command == run || $command == backup || $command == restore || $command == load ||
	   $previous == --store ]] && compopt -o default
}

complete -F _tilia tilia
