"""What a person can do about a token that is missing or refused, in the words of where they are.

The source of a token says what has happened to it; the way out depends on who asks as well. A token
can be pasted into the panel, but a notebook kernel and a terminal are processes of their own, which
no pasted token reaches.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenWords:
    """The ways out; ``{variable}`` stands for the name of an environment variable.

    Attributes
    ----------
    set_variable, renew_variable:
        The variable is not set; its token is refused.
    paste, paste_again:
        No token has been given for this session; the one that was is refused.
    choose:
        It was never said where a token comes from.
    """

    set_variable: str
    renew_variable: str
    paste: str
    paste_again: str
    choose: str


#: The Jupyter server and its panel.
IN_JUPYTERLAB = TokenWords(
    set_variable="Set {variable} to your WMLA token and restart JupyterLab, or paste a token.",
    renew_variable="Get a new one and paste it, or set {variable} to it and restart JupyterLab.",
    paste="Paste one; it is kept in memory until the server ends.",
    paste_again="Paste a new one; it is kept in memory until the server ends.",
    choose="Choose where it comes from, or paste one.",
)

#: A notebook kernel, which has the variables that its Jupyter server had when it was started.
IN_NOTEBOOK = TokenWords(
    set_variable="Set {variable} to your WMLA token, restart JupyterLab and then this kernel.",
    renew_variable="Get a new one, set {variable}, restart JupyterLab and then this kernel.",
    paste="One that is pasted in the panel stays there. For notebooks too, say where it comes "
    "from: edi env add NAME --token file:PATH.",
    paste_again="Say where a new one comes from: edi env add NAME --token file:PATH.",
    choose="Say where it comes from: edi env add NAME --token file:PATH.",
)

#: The command line.
IN_TERMINAL = TokenWords(
    set_variable="Set {variable} to your WMLA token, or give --jwt-token @FILE.",
    renew_variable="Get a new one and set {variable} to it, or give --jwt-token @FILE.",
    paste="Give one for this command: --jwt-token @FILE. One that is pasted in the panel stays "
    "there.",
    paste_again="Get a new one and give it with --jwt-token @FILE.",
    choose="Say where it comes from with edi env add NAME --token, or give --jwt-token @FILE.",
)
