# Completion of warren(1) for bash.
_warren()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local shared="--json --raw --config --identity --help"
	local target="--to --here --timeout" options words verb dir

	COMPREPLY=()
	case $prev in
	--config | --identity | --out | -o)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--timeout | --wait)
		mapfile -t COMPREPLY < <(compgen -W "10s 30s 2m 10m" -- "$cur")
		return
		;;
	--to | -t | describe)
		# nodes that were dealt with: hash, fingerprint, name
		dir=${XDG_CONFIG_HOME:-$HOME/.config}/warren
		words=$(awk '{print $1; if (NF > 2) print $3}' "$dir/nodes" 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	--name | -n | --lines) return ;;
	esac

	verb=${COMP_WORDS[1]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		words="identity nodes describe submit jobs show logs result cancel
			receipt status peers image audit check-config help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	words=
	case $verb in
	identity) words=show ;;
	receipt) words=verify ;;
	image) words="import list" ;;
	audit) words="tail verify" ;;
	esac
	if [ -n "$words" ] && [ "$COMP_CWORD" -eq 2 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	case $verb in
	nodes) options="--wait" ;;
	describe) options="--timeout" ;;
	submit) options="--to --out --in-place --detach --timeout" ;;
	jobs | show | cancel) options=$target ;;
	logs) options="$target --follow --stderr" ;;
	result) options="$target --out" ;;
	image) options="--name" ;;
	audit) options="--lines" ;;
	esac
	case $cur in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$options $shared" -- "$cur")
		return
		;;
	esac
	case $verb in
	submit)
		mapfile -t COMPREPLY < <(compgen -f -X '!*.y?(a)ml' -- "$cur"; compgen -d -- "$cur")
		;;
	show | logs | result | cancel)
		dir=${XDG_CONFIG_HOME:-$HOME/.config}/warren/jobs
		words=$(cd "$dir" 2>/dev/null && printf '%.16s\n' *)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -d -- "$cur")
		;;
	receipt)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	image)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -o filenames -F _warren warren
