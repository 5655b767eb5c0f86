"""An event loop in a thread of its own, for actors that hold sockets: methods hand over and return at once.

It dies loudly: an actor whose loop has ended would stay alive and deaf, so the process ends and its keeper restarts it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from actors.ending import end_process, last_words
from actors.structured_log import log_of

CAPACITY = 10_000


class LoopThread:
    """Runs `main()` for ever in its own loop and thread.

    An exception that leaves `main` or any callback, or `main` returning before `stop`, is logged and ends the process
    through `end`.
    """

    def __init__(
        self,
        name: str,
        main: Callable[[], Coroutine[Any, Any, None]],
        *,
        capacity: int = CAPACITY,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._name = name
        self._main = main
        self._capacity = capacity
        self._end = end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._is_up = threading.Event()
        self._is_stopping = False
        # Each counter has one writing thread, so the difference needs no lock.
        self._handed = 0
        self._taken = 0

    @property
    def depth(self) -> int:
        """Return how many calls were handed over and have not run yet."""
        return self._handed - self._taken

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; returns once calls can be handed over."""
        self._thread = threading.Thread(target=self._run, name=f"loop {self._name}", daemon=True)
        self._thread.start()
        self._is_up.wait()

    def hand_over(self, call: Callable[..., None], *arguments: Any) -> bool:
        """Have `call(*arguments)` run in the loop, in order. Returns False where the queue is full or no loop runs.

        To be called from one thread only: the actor's.
        """
        loop = self._loop
        if loop is None or self.depth >= self._capacity:
            return False
        self._handed += 1
        try:
            loop.call_soon_threadsafe(self._take, call, arguments)
        except RuntimeError:  # the loop is closed
            self._taken = self._handed
            return False
        return True

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Cancel `main` and wait for the thread; returns whether it ended in time."""
        self._is_stopping = True
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return True
        try:
            loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            pass  # closed already: it has ended
        thread.join(timeout_s)
        return not thread.is_alive()

    def _take(self, call: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._taken += 1
        call(*arguments)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        asyncio.run(self._watched())

    async def _watched(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_error)
        self._task = asyncio.ensure_future(self._main())
        self._loop = loop
        self._is_up.set()
        await asyncio.wait([self._task])
        self._judge(self._task)

    def _judge(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            if not self._is_stopping:
                self._die("main task was cancelled")
            return
        error = task.exception()
        if error is not None:
            self._die(f"main task ended: {error!r}", error)
        elif not self._is_stopping:
            self._die("main task returned")

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or "future" in context:
            # A remark of the loop, or somebody else's future that nobody looked at: our own tasks are awaited.
            log_of(self._name).warning("loop_remark", text=str(context.get("message")), error=repr(error))
            return
        self._die(f"{context.get('message')}: {error!r}", error)

    def _die(self, what: str, error: BaseException | None = None) -> None:
        log_of(self._name).critical("loop_died", what=what, exc_info=error)
        last_words(what)
        self._end()
