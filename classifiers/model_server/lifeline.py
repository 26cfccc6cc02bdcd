"""Runs a command that must not outlive its starter; `classifiers.model_server.vllm` starts it.

Standard input is the lifeline: when it closes (asked for, or because the starter died in whatever
way), the whole process group gets SIGTERM and, after a grace time, SIGKILL.
"""

import os
import select
import signal
import subprocess
import sys

POLL_SECONDS = 0.1


def main(arguments: list[str]) -> None:
    """Run `arguments[1:]` with `arguments[0]` seconds of grace; must lead its own process group.

    The command's exit status, if it ends by itself, is written to standard output; the command's
    own output goes to standard error. This process ends with the group, by SIGKILL.
    """
    starter = os.getppid()
    # A handler, not SIG_IGN: the command would inherit an ignored signal.
    signal.signal(signal.SIGTERM, lambda *_: None)
    command = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    while command.poll() is None and _is_held(starter):
        pass
    if command.returncode is not None:
        sys.stdout.write(f"{command.returncode}\n")
        sys.stdout.flush()
    _end_group(command, float(arguments[0]))


def _is_held(starter: int) -> bool:
    """Wait one interval; False when the starter closed the lifeline or is gone.

    The parent is looked at as well, because another process may have inherited the lifeline.
    """
    readable, _, _ = select.select([sys.stdin.fileno()], [], [], POLL_SECONDS)
    return os.getppid() == starter and not (readable and not os.read(sys.stdin.fileno(), 1))


def _end_group(command: subprocess.Popen[bytes], grace: float) -> None:
    os.killpg(0, signal.SIGTERM)
    try:
        command.wait(grace)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"still running {grace:g} s after SIGTERM\n")
        sys.stderr.flush()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
