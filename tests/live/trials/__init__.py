"""Trials by the thousand on a real FreeSWITCH: moments that a single test would never hit.

    python -m tests.live.trials NAME [COUNT] [--seed N] [--at-once N]

Owns what is tried at random moments; the telephones and the switch are the rig's. Each trial is
judged by what the telephones saw. Nothing in here asks the controller how it went.
"""
