# Completion of warren(1) for bash.

# Words of a folder beside the keys: nodes that were dealt with (hash, name).
_warren_nodes()
{
	awk '{ print $1; if (NF > 2) print $3 }' "$1/nodes" 2>/dev/null
}

# Jobs that were submitted from here: names, and the beginnings of their ids.
_warren_jobs()
{
	cd "$1/jobs" 2>/dev/null && printf '%.16s\n' * && sed -n 's/^name //p' *
}

_warren()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local keys=${XDG_CONFIG_HOME:-$HOME/.config}/warren
	local valued=" --config --identity --to -t --timeout --out -o --wait -w
		--name --label -l --lines -n --volume -v --env -e --memory -m --cpu --time
		--pids --output --log --deadline --retries --key -k --scheme --expires
		--root --role --threshold --list --self --uri --kind --reason --since --scope
		--via-lxmf --wasm --fuel --files "
	local shared="--config --identity --json --raw --help"
	local target="--to --here --timeout" options="" words="" verb="" second="" i
	local submit="--to --out --in-place --detach --via-lxmf --strict --name --label
		--print --fresh --timeout"

	COMPREPLY=()
	# the verb's words: no options, and no values of options
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) return ;;
		--identity) keys=${COMP_WORDS[i + 1]} ;;&
		-*) [[ $valued == *[[:space:]]"${COMP_WORDS[i]}"[[:space:]]* ]] && i=$((i + 1)) ;;
		*)
			if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}
			elif [ -z "$second" ]; then second=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	case $prev in
	--config | --identity | --out | -o)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--timeout | --wait | -w)
		mapfile -t COMPREPLY < <(compgen -W "10s 30s 2m 10m" -- "$cur")
		return
		;;
	--to | -t)
		mapfile -t COMPREPLY < <(compgen -W "$(_warren_nodes "$keys")" -- "$cur")
		return
		;;
	--volume | -v)
		mapfile -t COMPREPLY < <(compgen -d -S : -- "$cur")
		return
		;;
	--env | -e)
		mapfile -t COMPREPLY < <(compgen -e -- "$cur")
		return
		;;
	--key | -k | --root | --list | --self)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--scheme)
		mapfile -t COMPREPLY < <(compgen -W "ed25519 ecdsa bip340" -- "$cur")
		return
		;;
	--kind)
		mapfile -t COMPREPLY < <(compgen -W "key rns artifact token" -- "$cur")
		return
		;;
	--reason)
		mapfile -t COMPREPLY < <(compgen -W "key_compromise behavior_violation policy
			superseded retired impersonation integrity_failure resource_abuse
			operator unspecified other" -- "$cur")
		return
		;;
	--expires | --since)
		mapfile -t COMPREPLY < <(compgen -W "24h 7d 30d 365d" -- "$cur")
		return
		;;
	--scope)
		mapfile -t COMPREPLY < <(compgen -W "job.submit job.result job.review mesh.relay
			mesh.mirror image.sign contract.sign log.witness event.hub" -- "$cur")
		return
		;;
	--role | --threshold | --uri) return ;;
	--name | --label | -l | -n | --lines | --memory | -m | --cpu | --time | --pids | --output | \
		--log | --deadline | --retries | --fuel) return ;;
	--files)
		mapfile -t COMPREPLY < <(compgen -W "memory folders" -- "$cur")
		return
		;;
	esac

	case $verb in
	"") words="run submit jobs show logs result cancel approve reject receipt nodes
		describe identity status peers interfaces paths discovered top explain image audit forensics klp revoke trust check-config
		reload doctor help --version" ;;
	help) words="run submit jobs show logs result cancel approve reject receipt nodes
		describe identity status peers interfaces paths discovered top explain image audit forensics klp revoke trust check-config
		reload doctor" ;;
	receipt) words="verify" ;;
	image) words="import pull list inspect verify remove gc" ;;
	audit) words="check tail verify anchor witness export verify-bundle" ;;
	klp) words="keygen sign verify publish get mirror" ;;
	trust) words="show why" ;;
	esac
	if [ -n "$words" ] && [ -z "$second" ] && [[ $cur != -* || -z $verb ]]; then
		[[ $cur != -* ]] || words="$shared --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	case "$verb $second" in
	"nodes "*) options="--wait --all --wide" ;;
	"peers "* | "interfaces "* | "paths "* | "discovered "* | "image list") options="--wide" ;;
	"top "*) options="--wait --wide" ;;
	"describe "*) options="--timeout" ;;
	"run "*) options="$submit --volume --env --memory --cpu --time --pids
		--output --log --writable --deadline --retries --wasm --fuel
		--deterministic --files" ;;
	"submit "*) options=$submit ;;
	"jobs "*) options="$target --mine --label --held --wide" ;;
	"show "* | "cancel "* | "approve "* | "reject "*) options=$target ;;
	"logs "*) options="$target --follow --stderr" ;;
	"result "*) options="$target --out --via-lxmf --strict" ;;
	"image import") options="--name --share" ;;
	"image gc") options="--dry-run --unnamed" ;;
	"image pull") options="--name --auth --ca --pin --also --mirror --insecure --max --from --slow --share" ;;
	"audit tail") options="--lines" ;;
	"audit verify") options="--key --receipt --log --log-key --witness
		--witnesses --record" ;;
	"audit anchor") options="--log --key --origin --proofs" ;;
	"audit witness") options="--log --key --name --log-key" ;;
	"audit export") options="--from --to" ;;
	"audit verify-bundle") options="--key --list --root" ;;
	"receipt verify") options="--list --root" ;;
	"forensics "*) options="--then" ;;
	"trust show") options="--wide" ;;
	"trust why") options="--scope" ;;
	"trust clock") options="--lower" ;;
	"klp keygen") options="--scheme --show" ;;
	"klp sign") options="--key --out --expires --edges" ;;
	"klp verify") options="--root --role --key --threshold" ;;
	"klp publish") options="--key --expires" ;;
	"klp get") options="--out --envelope --via" ;;
	"klp mirror") options="--from --out" ;;
	"revoke "*) options="--list --kind --reason --since --suspend --lift
		--expires --uri --key --delta --root --self --out" ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options $shared" -- "$cur")
		return
	fi
	case "$verb $second" in
	"identity ") words=show ;;
	"describe ") words=$(_warren_nodes "$keys") ;;
	"submit ")
		mapfile -t COMPREPLY < <(compgen -f -X '!*.y?(a)ml' -- "$cur"; compgen -d -- "$cur")
		return
		;;
	"show " | "logs " | "result " | "cancel " | "approve " | "reject " | "receipt verify")
		mapfile -t COMPREPLY < <(compgen -W "$(_warren_jobs "$keys")" -- "$cur"; compgen -d -- "$cur")
		return
		;;
	"image import" | "klp "*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o filenames -F _warren warren
