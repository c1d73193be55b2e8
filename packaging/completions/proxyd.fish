# Completion of proxyd in fish; installed as /usr/share/fish/vendor_completions.d/proxyd.fish.

set -l tools init check migrate verify status

# Which tool the command line is for; nothing when it is the daemon's.
function __proxyd_tool
    set -l words (commandline -opc)
    if contains -- "$words[2]" init check migrate verify status
        echo $words[2]
    end
end

function __proxyd_is
    test "$(__proxyd_tool)" = "$argv[1]"
end

function __proxyd_at_first
    test (count (commandline -opc)) -eq 1
end

# Units of these types that systemd knows, loaded or not: __proxyd_units service,socket
function __proxyd_units
    set -l scope
    contains -- --user (commandline -opc); and set scope --user
    begin
        systemctl $scope list-units --all --plain --no-legend --no-pager --type=$argv[1]
        systemctl $scope list-unit-files --no-legend --no-pager --type=$argv[1]
    end 2>/dev/null | string replace -r ' .*' '' | string match -v '*@.*' | sort -u
end

# The ids of check's rules with their titles, and "all", which lists them.
function __proxyd_rules
    proxyd check --explain all 2>/dev/null | string replace -r '^(\S+) +\S+ +' '$1\t'
    echo all
end

complete -c proxyd -f
complete -c proxyd -n __proxyd_at_first -a init -d 'Write a socket, its proxy and its backend as units'
complete -c proxyd -n __proxyd_at_first -a check -d 'Find what is wrong with units'
complete -c proxyd -n __proxyd_at_first -a migrate -d 'Turn units with systemd-socket-proxyd into ones with proxyd'
complete -c proxyd -n __proxyd_at_first -a verify -d 'Try a socket and what stands behind it'
complete -c proxyd -n __proxyd_at_first -a status -d 'Show what runs now'

complete -c proxyd -n '__proxyd_is init' -l public -x -d 'The address that clients use'
complete -c proxyd -n '__proxyd_is init' -l backend -x -d 'The address that the backend listens at'
complete -c proxyd -n '__proxyd_is init' -l exec -x -d 'What the backend is started with'
complete -c proxyd -n '__proxyd_is init' -l unit -x -a '(__proxyd_units service)' -d 'The unit that the backend is already'
complete -c proxyd -n '__proxyd_is init' -l idle-stop -x -d 'Stop the backend after a time without connections'
complete -c proxyd -n '__proxyd_is init' -l wait-bind -x -d 'How long a client waits for the backend'
complete -c proxyd -n '__proxyd_is init' -l run-as -x -a '(__fish_complete_users)' -d 'As whom the command runs'
complete -c proxyd -n '__proxyd_is init' -l plain -d 'systemd keeps the backend up while the proxy runs'
complete -c proxyd -n '__proxyd_is init' -l dest -x -a '(__fish_complete_directories)' -d 'Write the files into a folder'
complete -c proxyd -n '__proxyd_is init' -l install -d 'Write the files, reload systemd and enable the socket'

complete -c proxyd -n '__proxyd_is check' -l explain -x -a '(__proxyd_rules)' -d 'Tell the whole story of a rule'
complete -c proxyd -n '__proxyd_is check' -F -a '(__proxyd_units service,socket)'

complete -c proxyd -n '__proxyd_is migrate' -l resident -d 'Propose a proxy that stays and owns the backend'
complete -c proxyd -n '__proxyd_is migrate' -l apply -d 'Write the change'
complete -c proxyd -n '__proxyd_is migrate' -l rollback -d 'Take the last change back'
complete -c proxyd -n '__proxyd_is migrate' -l public -x -d 'A plain service: where clients come'
complete -c proxyd -n '__proxyd_is migrate' -l backend -x -d 'A plain service: where it is to listen'
complete -c proxyd -n '__proxyd_is migrate' -l port-variable -x -d 'A plain service: the variable that tells it its port'
complete -c proxyd -n '__proxyd_is migrate' -l idle-stop -x -d 'Stop the backend after a time without connections'
complete -c proxyd -n '__proxyd_is migrate' -l wait-bind -x -d 'How long a client waits for the backend'
complete -c proxyd -n '__proxyd_is migrate' -l proxyd -r -F -d 'Where proxyd is'
complete -c proxyd -n '__proxyd_is migrate' -F -a '(__proxyd_units service,socket)'

complete -c proxyd -n '__proxyd_is verify' -l path -x -d 'GET this path, and expect 2xx or 3xx'
complete -c proxyd -n '__proxyd_is verify' -l tcp -d 'No HTTP'
complete -c proxyd -n '__proxyd_is verify' -l backend -x -a '(__proxyd_units service)' -d 'The unit of the backend'
complete -c proxyd -n '__proxyd_is verify' -l timeout -x -d 'How long a client waits for its answer'
complete -c proxyd -n '__proxyd_is verify' -l yes -d 'Also when that cuts live connections'
complete -c proxyd -n '__proxyd_is verify' -a '(__proxyd_units socket)'

complete -c proxyd -n '__proxyd_is status' -l all -d 'Every one that systemd knows'
complete -c proxyd -n '__proxyd_is status' -l watch -d 'Show it anew every second'
complete -c proxyd -n '__proxyd_is status' -a '(__proxyd_units service,socket)'

for tool in $tools
    complete -c proxyd -n "__proxyd_is $tool" -l user -d 'The units are the user manager\'s'
    complete -c proxyd -n "__proxyd_is $tool" -l json -d 'Print JSON'
    complete -c proxyd -n "__proxyd_is $tool" -l help -d 'Show help'
end

set -l daemon 'test -z "$(__proxyd_tool)"'
complete -c proxyd -n $daemon -s c -l connections-max -x -d 'Connections at once'
complete -c proxyd -n $daemon -l exit-idle-time -x -d 'Exit after a time without clients'
complete -c proxyd -n $daemon -l wait-bind -x -d 'How long a client waits for the backend'
complete -c proxyd -n $daemon -l drain-time -x -d 'How long connections may go on after SIGTERM'
complete -c proxyd -n $daemon -l listen -x -d 'Bind an address here, without systemd'
complete -c proxyd -n $daemon -l backend-unit -x -a '(__proxyd_units service)' -d 'Start this unit when a client comes'
complete -c proxyd -n $daemon -l user -d 'The unit is the user manager\'s'
complete -c proxyd -n $daemon -l exec -x -d 'Start the backend with a command'
complete -c proxyd -n $daemon -l ready -x -a 'http:/ unit exec:' -d 'Let clients through only when this says so'
complete -c proxyd -n $daemon -l backend-idle-stop -x -d 'Stop the backend after a time without connections'
complete -c proxyd -n $daemon -l backend-idle-freeze -x -d 'Freeze the unit after a time without connections'
complete -c proxyd -n $daemon -l idle-by -x -a 'connections bytes' -d 'What use is'
complete -c proxyd -n $daemon -l backend-min-up -x -d 'Let the backend run at least this long'
complete -c proxyd -n $daemon -l retry-unanswered -d 'Take a connection that was reset unanswered to the next backend'
complete -c proxyd -n $daemon -l threads -x -d 'Threads that move bytes'
complete -c proxyd -n $daemon -l log-level -x -a 'error warning info debug' -d 'How much is logged'
complete -c proxyd -n $daemon -s h -l help -d 'Show help'
complete -c proxyd -n $daemon -l version -d 'Show the version'
