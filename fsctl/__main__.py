"""``python -m fsctl``: the command line, for a program that starts another fsctl."""

from fsctl.cli.main import main

main()
