"""The files that make shells ask a program what a word may become."""

BASH = """\
# bash completion of {name}; falls back to file names.
complete -o default -C '{name} bashcomplete' {name}
"""
ZSH = """\
#compdef {name}
# zsh completion of {name}; falls back to file names.
_{function}() {{
    local -a found
    local line="${{(j: :)words}}"
    found=("${{(@f)$(COMP_LINE="$line" COMP_POINT="${{#line}}" {name} bashcomplete 2>/dev/null)}}")
    if [[ -n "${{found[1]}}" ]]; then
        compadd -Q -- "${{found[@]}}"
    else
        _files
    fi
}}
_{function} "$@"
"""


def bash_completion(name: str) -> str:
    """The file for `bash-completion/completions`."""
    return BASH.format(name=name)


def zsh_completion(name: str) -> str:
    """The file for `zsh/site-functions`."""
    return ZSH.format(name=name, function=name.replace("-", "_"))
