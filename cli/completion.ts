import { Argument, type Command } from 'commander';
import { print } from './output.js';
import { commonOptions } from './session.js';

// Each script asks `sendoff complete -- <words>` and offers what it answers (complete.ts). Nothing that was typed is
// evaluated on the way: the words are passed as they stand on the line.

const bash = `# bash completion for sendoff: source <(sendoff completion bash)
_sendoff() {
  local line="\${COMP_LINE:0:COMP_POINT}" word current cut value
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  word="\${words[\${#words[@]} - 1]}"
  # bash replaces only what follows the last of these characters.
  current="\${word##*["$COMP_WORDBREAKS"]}"
  cut="\${word%"$current"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${value#"$cut"}")
    fi
  done < <(sendoff complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _sendoff sendoff`;

const zsh = `#compdef sendoff
# zsh completion for sendoff: source <(sendoff completion zsh), after compinit
_sendoff() {
  local value about
  local -a offered
  while IFS=$'\\t' read -r value about; do
    if [[ $value == :files ]]; then
      _files
      return
    fi
    offered+=("\${value//:/\\\\:}\${about:+:$about}")
  done < <(sendoff complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe sendoff offered
}
if [[ \${funcstack[1]} == _sendoff ]]; then _sendoff "$@"; else compdef _sendoff sendoff; fi`;

const fish = `# fish completion for sendoff: sendoff completion fish | source
function __sendoff_complete
    set -l words (commandline -opc)
    set -l offered (sendoff complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if string match -q -r '^:files' -- $offered
        __fish_complete_path (commandline -ct)
    else
        string join \\n -- $offered
    end
end
complete -c sendoff -f -a '(__sendoff_complete)'`;

const scripts = { bash, zsh, fish };

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(scripts)))
    .description('print a script that lets your shell complete commands, options and names')
    .addHelpText(
      'after',
      `
Examples:
  source <(sendoff completion bash)     in ~/.bashrc
  source <(sendoff completion zsh)      in ~/.zshrc, after compinit
  sendoff completion fish | source      in ~/.config/fish/config.fish`,
    )
    .action((shell: keyof typeof scripts, _options: unknown, command: Command) => {
      const script = scripts[shell];
      print(commonOptions(command).json, { shell, script }, () => script);
    });
}
