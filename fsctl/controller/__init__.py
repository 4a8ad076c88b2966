"""The running server: one greenlet per call that feeds the hunt and carries out its actions.

Owns live calls. Knows the hunt, the event socket and the store; no command line and no panel.
"""
