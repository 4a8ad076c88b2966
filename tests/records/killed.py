"""A controller's recorder that is about to be killed: puts calls, and says each one's number.

Arguments: database URL, directory of the spool.
"""

import sys
import time
from pathlib import Path

from fsctl.controller.recorder import Recorder
from fsctl.store.engine import make_engine
from tests.records.samples import call

recorder = Recorder(make_engine(sys.argv[1]), Path(sys.argv[2]))
recorder.start()
for number in range(1_000_000):
    recorder.put(call(number))
    print(number, time.monotonic(), flush=True)
    time.sleep(0.01)
