# Prints what zsh offers at the end of a line. Usage: zsh -f complete.zsh FOLDER-OF-COMPLETIONS LINE
# A shell with a terminal of its own is typed the line and a tab; what its compadd is given goes to a file.
zmodload zsh/zpty
export FOUND=$(mktemp) FOLDER=$1
trap 'rm -f $FOUND*' EXIT
cat >$FOUND.rc <<'RC'
fpath=($FOLDER $fpath)
autoload -Uz compinit && compinit -u -d $FOUND.dump
compadd() {
  # With these it only fills an array for its caller.
  if ((!${argv[(Ie)-O]} && !${argv[(Ie)-A]} && !${argv[(Ie)-D]})); then
    local -a hits
    builtin compadd -O hits "$@"
    print -rl -- $hits >>$FOUND
  fi
  builtin compadd "$@"
}
offer() { zle complete-word; exit }
zle -N offer
bindkey '^I' offer
RC
zpty shell exec zsh -f -i
zpty -w shell "source $FOUND.rc"
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do :; done
sort -u $FOUND | grep .
