# Completion of intercom-agent for bash.
_intercom_agent() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' words='' files='' at
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
        --config | --for | --held-by | --id | --mac | --model | --new-mac | --new-serial-number | --root | --via) ((at++)) ;;
        -*) ;;
        *)
            command=${COMP_WORDS[at]}
            break
            ;;
        esac
    done
    case $previous in
    --root)
        compopt -o dirnames
        return
        ;;
    --config)
        compopt -o default
        return
        ;;
    --config | --for | --held-by | --id | --mac | --model | --new-mac | --new-serial-number | --root | --via) return ;;
    esac
    case $command in
    '') words='run restore identity check apply rollback status doctor netcheck config log forget-sequence bugreport --help --root --config --json --version' ;;
    run) words='--help --root --config --json' ;;
    restore) words='--help --root --config --json' ;;
    identity) words='--help --root --config --json' ;;
    check) words='--help --via --again --held-by --root --config --json' files=yes ;;
    apply) words='--help --new-mac --new-serial-number --mac --id --model --offline --root --config --json' files=yes ;;
    rollback) words='--help --factory --offline --root --config --json' ;;
    status) words='--help --follow --root --config --json' ;;
    doctor) words='--help --root --config --json' ;;
    netcheck) words='--help --root --config --json' ;;
    config) words='--help --root --config --json' files=yes ;;
    log) words='off error warn info debug trace --help --for --root --config --json' ;;
    forget-sequence) words='--help --root --config --json' ;;
    bugreport) words='--help --mac-addresses --root --config --json' files=yes ;;
    esac
    case $current in
    -*) files='' ;;
    esac
    if [ -n "$files" ]; then
        compopt -o default
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    fi
}
complete -F _intercom_agent intercom-agent
