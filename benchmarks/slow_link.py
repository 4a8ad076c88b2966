"""A TCP proxy on loopback that delays every byte: a database that is some way off.

    python -m benchmarks.slow_link HOST PORT MILLISECONDS

Prints the port it listens on. A round trip takes twice MILLISECONDS longer; bytes that follow each
other closely wait together, as on a long line, not one after the other.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from functools import partial


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Write each piece so many seconds after it was read."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            at, piece = await on_the_way.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.close()

    arriving = asyncio.create_task(arrive())
    with suppress(OSError):
        while piece := await reader.read(65536):
            on_the_way.put_nowait((loop.time() + delay, piece))
    on_the_way.put_nowait((loop.time() + delay, b""))
    with suppress(OSError):
        await arriving


async def serve(host: str, port: int, delay: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(carry(reader, back, delay), carry(there, writer, delay))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    run = partial(serve, sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000)
    with suppress(KeyboardInterrupt):
        asyncio.run(run())
