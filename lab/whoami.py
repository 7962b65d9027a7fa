"""A tenant's service: whoever connects is told who is speaking.

python whoami.py serve WORDS       answers every TCP connection with WORDS
python whoami.py ask ADDRESS FROM  connects from the own address FROM and prints the answer
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

PORT = 7
ASK_SECONDS = 3.0


def serve(words: str) -> None:
    """Until the process ends; addresses may come and go."""
    with socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        while True:
            try:
                caller, _from = listener.accept()
                with caller:
                    caller.sendall(words.encode() + b"\n")
            except OSError:
                continue


def ask(address: str, source: str) -> str:
    """Who answers there; raises OSError where nobody does."""
    with socket.create_connection((address, PORT), ASK_SECONDS, (source, 0)) as answered:
        return answered.makefile(encoding="utf-8").readline().strip()


def main(arguments: Sequence[str]) -> int:
    verb, *words = arguments
    if verb == "serve":
        serve(words[0])
    try:
        print(ask(words[0], words[1]))
    except OSError as error:
        print(f"{words[0]}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
