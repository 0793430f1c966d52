"""Kinds of account in CCXT's words, and the proof that a balance is of the kind that was asked for.

CCXT's methods ignore some of the words that CCXT has for transfers, and answer with another account's balance. So before a
word counts for the first time, CCXT's requests with and without it are compared, after they were made: both only read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from planar.errors import NotSupported, Outcome
from planar.transport.writes import noting

T = TypeVar("T")


class AccountTypes:
    """The words of one exchange, and which of them are proven."""

    def __init__(self, exchange: Any) -> None:
        self._id: str = exchange.id
        words: Any = exchange.options.get("accountsByType")
        self.words: Mapping[str, Any] = cast("dict[str, Any]", words) if isinstance(words, dict) else {}
        self._usual: str = exchange.options.get("defaultType") or "spot"
        self._proven: set[str] = set()

    async def asked(self, word: str, ask: Callable[[Mapping[str, Any]], Awaitable[T]], params: Mapping[str, Any]) -> T:
        """The answer to a question about one kind of account.

        Args:
            ask: asks with parameters.
            params: of the question, `type` among them.

        Raises:
            NotSupported: the same is asked without the word, so it is another account's answer.
        """
        with noting() as with_word:
            answer = await ask(params)
        if word in self._proven or self.words.get(word) == self.words.get(self._usual):
            return answer
        with noting() as without:
            await ask({name: value for name, value in params.items() if name != "type"})
        if with_word == without:
            raise NotSupported(
                f"the balance of the {word} account cannot be had by itself: CCXT asks for the same with and without it",
                exchange=self._id,
                outcome=Outcome.REFUSED,
                hint="leave type out, or give the exchange's own parameters in params",
            )
        self._proven.add(word)
        return answer
