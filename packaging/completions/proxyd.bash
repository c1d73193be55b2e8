# Completion of proxyd in bash; installed as /usr/share/bash-completion/completions/proxyd.

# Units of these types that systemd knows, loaded or not: _proxyd_units service,socket
_proxyd_units() {
  {
    systemctl "${scope[@]}" list-units --all --plain --no-legend --no-pager --type="$1"
    systemctl "${scope[@]}" list-unit-files --no-legend --no-pager --type="$1"
  } 2>/dev/null | while read -r unit _; do
    # A template is no unit, and one that was not found is listed with a dot.
    [[ $unit == *@.* ]] || printf '%s\n' "$unit"
  done | sort -u
}

# The ids of check's rules, and "all", which lists them.
_proxyd_rules() {
  proxyd check --explain all 2>/dev/null | while read -r rule _; do
    printf '%s\n' "$rule"
  done
  echo all
}

# Adds what begins with the word under the cursor, one word a line on stdin.
_proxyd_add() {
  local word
  while IFS= read -r word; do
    # A unit's name may hold a backslash.
    [[ $word != "$cur"* ]] || COMPREPLY+=("$(printf %q "$word")")
  done
}

_proxyd_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$1" -- "$cur")
}

_proxyd() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} tool='' options units scope=()
  COMPREPLY=()
  # --option=value comes as three words.
  if [[ $cur == '=' ]]; then cur=''; fi
  if [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
  if [[ " ${COMP_WORDS[*]} " == *' --user '* ]]; then scope=(--user); fi
  if ((COMP_CWORD > 1)); then tool=${COMP_WORDS[1]}; fi

  case $tool in
    init) options='--public --backend --exec --unit --idle-stop --wait-bind --run-as --plain --user --dest --install --json --help' units='' ;;
    check) options='--explain --user --json --help' units=service,socket ;;
    migrate)
      options='--resident --apply --rollback --public --backend --port-variable --idle-stop --wait-bind --proxyd --user --json --help' units=service,socket
      ;;
    verify) options='--path --tcp --backend --timeout --user --json --yes --help' units=socket ;;
    status) options='--all --watch --user --json --help' units=service,socket ;;
    *)
      tool='' units=''
      options='--connections-max --exit-idle-time --wait-bind --drain-time --listen --backend-unit --user --exec --ready --backend-idle-stop
        --backend-idle-freeze --idle-by --backend-min-up --retry-unanswered --threads --log-level --help --version'
      ;;
  esac

  case $tool:$prev in
    verify:--backend | init:--unit | :--backend-unit) _proxyd_add < <(_proxyd_units service) ;;
    init:--dest) _proxyd_files -d ;;
    init:--run-as) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    migrate:--proxyd) _proxyd_files ;;
    migrate:--public | migrate:--backend | migrate:--port-variable | migrate:--idle-stop | migrate:--wait-bind) ;;
    check:--explain) _proxyd_add < <(_proxyd_rules) ;;
    :--ready) _proxyd_add <<<$'http:/\nunit\nexec:' ;;
    :--idle-by) _proxyd_add <<<$'connections\nbytes' ;;
    :--log-level) _proxyd_add <<<$'error\nwarning\ninfo\ndebug' ;;
    verify:--path | verify:--timeout | init:--public | init:--backend | init:--exec | init:--idle-stop | init:--wait-bind) ;;
    :--connections-max | :-c | :--exit-idle-time | :--wait-bind | :--drain-time | :--listen | :--exec | :--threads) ;;
    :--backend-idle-stop | :--backend-idle-freeze | :--backend-min-up) ;;
    *)
      if [[ $cur == -* ]]; then
        _proxyd_add < <(printf '%s\n' $options)
      elif ((COMP_CWORD == 1)); then
        _proxyd_add <<<$'init\ncheck\nmigrate\nverify\nstatus'
      elif [[ $cur == */* && $tool == @(check|migrate) ]]; then
        _proxyd_files -f
      elif [[ -n $units ]]; then
        _proxyd_add < <(_proxyd_units "$units")
      fi
      ;;
  esac
}

complete -F _proxyd proxyd
