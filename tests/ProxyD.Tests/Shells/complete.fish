# Prints what fish offers at the end of a line. Usage: fish --no-config complete.fish FOLDER-OF-COMPLETIONS LINE
source $argv[1]/proxyd.fish
complete -C $argv[2] | string replace -r '\t.*' ''
