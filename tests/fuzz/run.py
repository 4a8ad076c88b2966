"""The long run by hand.

    python -m tests.fuzz.run [--frames 10000000] [--seed 1] [--first ROUND]

Takes the conversations of the captures, changes them, and has the codec and whole calls hear them;
half the frames each. A finding is printed with the round that repeats it (``--seed S --first R``),
and the run goes on. Ends with the figures; exit status 1 when there were findings.
"""

from __future__ import annotations

import argparse
import logging
import random
import resource
import sys
import time
import traceback

from fsctl.controller.directory import Unavailable
from tests.fuzz.conversations import conversations
from tests.fuzz.mutator import mutate
from tests.fuzz.targets import Calls, decode

SHARES = (0.02, 0.1, 0.1, 0.3, 0.9)
"""How many of a conversation's frames are changed; one is drawn for each round."""
SAY_EVERY = 60.0


class Run:
    """One run, from a seed: each round draws a conversation, changes it and plays it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.decoded = self.rounds = self.findings = 0
        self.calls = Calls()
        self.began = time.monotonic()

    @property
    def frames(self) -> int:
        """Frames that the codec and the calls have taken in so far."""
        return self.decoded + self.calls.frames

    def round(self, number: int) -> None:
        """Play one round; raises nothing."""
        rng = random.Random(self.seed * 1_000_000_007 + number)
        conversation = rng.choice(conversations())
        told = mutate(rng, conversation.events * rng.choice((1, 1, 3)), rng.choice(SHARES))
        self.rounds += 1
        try:
            if self.decoded < self.calls.frames:
                self.decoded += decode(rng, conversation.connected + b"".join(told))
            else:
                connected = conversation.connected
                if rng.random() < 0.05:
                    connected = b"".join(mutate(rng, [connected], 1.0))
                self.calls.run(rng, connected, told)
        except (Exception, Unavailable):
            self.findings += 1
            print(f"finding in round {number} of seed {self.seed}:", flush=True)
            traceback.print_exc(limit=-6)

    def say(self) -> None:
        """Print the figures so far."""
        seconds = time.monotonic() - self.began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{self.frames} frames ({self.decoded} codec, {self.calls.frames} calls) in "
            f"{self.rounds} rounds, {seconds:.0f} s, {self.frames / seconds:.0f} frames/s, "
            f"{memory:.0f} MB at most, {self.findings} findings",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the round to begin with")
    wanted = parser.parse_args()
    logging.getLogger("fsctl").setLevel(logging.ERROR)
    logging.getLogger("fsctl").propagate = False
    run = Run(wanted.seed)
    said = time.monotonic()
    number = wanted.first
    while run.frames < wanted.frames:
        run.round(number)
        number += 1
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            run.say()
    run.say()
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
