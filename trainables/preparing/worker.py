"""A process that reads raw files: takes chunks from a pipe and says what came of each; started by `crew`."""

import signal
import sys
import traceback
from multiprocessing.connection import Connection

from search_spaces.errors import MmptError
from trainables.preparing.filling import Chunk, Filled, Work, fill

__all__ = ["serve"]


def serve(driver: Connection) -> None:
    """Fill chunks until the driver closes its end, or is gone.

    What comes that is neither `Work` nor a `Chunk` is there for what importing it imports.
    """
    work: Work | None = None
    try:
        while True:
            told = driver.recv()
            if isinstance(told, Work):
                work = told
            elif isinstance(told, Chunk):
                assert work is not None, "chunks come after what they share"
                driver.send(_answer(work, told))
    except (EOFError, ConnectionError):
        return


def _answer(work: Work, chunk: Chunk) -> Filled | OSError | str:
    try:
        return fill(work, chunk)
    except OSError as error:
        return error
    except MmptError as error:
        return str(error)
    except Exception:  # noqa: BLE001 (whatever it is, the driver raises it)
        return traceback.format_exc()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver is interrupted, too, and closes the pipe
    serve(Connection(int(sys.argv[1])))
