/** The completion scripts of the shells. All they do is ask `pipe __complete`, so that they never grow old. */

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

// Bash 3.2 of macOS has no mapfile, and word splitting would glob addresses: lines are read one by one.
const bash = `# bash completion of pipe; add to ~/.bashrc:  source <(pipe completion bash)
_pipe_complete() {
  COMPREPLY=()
  local line
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(pipe __complete bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && ( \${COMPREPLY[0]} == *[ || \${COMPREPLY[0]} == *, || \${COMPREPLY[0]} == *= ) ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -o default -F _pipe_complete pipe
`

const zsh = `#compdef pipe
# zsh completion of pipe; add to ~/.zshrc after compinit:  source <(pipe completion zsh)
_pipe() {
  local -a lines described
  local line
  lines=("\${(@f)$(pipe __complete zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    [[ -n $line ]] && described+=("$line")
  done
  if (( \${#described} )); then
    _describe -V 'pipe' described
  else
    _files
  fi
}
compdef _pipe pipe
`

const fish = `# fish completion of pipe; save as ~/.config/fish/completions/pipe.fish
function __pipe_complete
  set -l words (commandline -opc) (commandline -ct)
  pipe __complete fish -- $words[2..-1] 2>/dev/null
end
complete -c pipe -a '(__pipe_complete)'
`

export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
