"""The command line: one face of ``fsctl.admin``, and how the controller is started.

Owns words typed and lines written. No rule about groups lives here.
"""
