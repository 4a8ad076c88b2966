"""``python -m fsctl``: the command line, for a program that starts another fsctl."""

import os

from fsctl.cli.main import main
from fsctl.cli.parent import end_with_parent

end_with_parent(os.environ)
main()
