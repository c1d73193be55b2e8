# Prints what bash offers at the end of a line. Usage: bash --norc complete.bash FOLDER-OF-COMPLETIONS LINE
source "$1/proxyd.bash"
# The words as readline splits them: '=' is a word of its own, and after a blank an empty word begins.
read -ra COMP_WORDS <<<"${2//=/ = }"
if [[ $2 == *' ' ]]; then COMP_WORDS+=(''); fi
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
$(complete -p proxyd | sed -E 's/.* -F ([^ ]+) .*/\1/')
if ((${#COMPREPLY[@]})); then printf '%s\n' "${COMPREPLY[@]}"; fi
