"""The command line from a checkout: ``python cli.py`` is ``fsctl`` without installing."""

from fsctl.cli.main import main

if __name__ == "__main__":
    main()
