"""The judging half of the seam: what an answer feeds back to the budget, and what it means.

It does not ask how the answer came: by REST, or over a socket whose answers are put into the form of REST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson

from planar.adapters.ccxt_verdict import no_answer, refusal
from planar.errors import PlanarError
from planar.transport.context import CallContext
from planar.transport.http import Answer
from planar.transport.redact import redact_error
from planar.transport.stops import stop_s


class JudgingSeam:
    """Mixed in before CCXT's class, as a part of `CcxtSeam`."""

    def feed_back(self, answer: Answer, began: float) -> None:
        """Tell the budget what the venue counts, and how long it wants to hear nothing."""
        wiring = cast(Any, self).planar
        budget, profile = wiring.budget, wiring.profile
        told: list[tuple[str, float]] = []
        for spec in profile.meters:
            if spec.header is not None:
                used = answer.headers.get(spec.header)
                if used is not None and used.isascii() and used.isdigit():
                    told.append((spec.name, float(used)))
        if told:
            budget.observe(told, began)
        otherwise_s = profile.stops.get(answer.status)
        if otherwise_s is not None:
            text = answer.body.decode("utf-8", "replace")
            budget.stop(stop_s(answer.headers, text, otherwise_s), key=any(code in text for code in profile.key_stops))

    def judge(
        self, answer: Answer, url: str, method: str, headers: Mapping[str, str], body: str | None, call: CallContext
    ) -> Any:
        """The decoded answer, or the error that it means.

        Raises:
            PlanarError: with the outcome that the venue's tables give it.
        """
        this = cast(Any, self)
        if call.reader is not None and answer.status == 200:
            parsed = call.reader(answer.body)
            if parsed is not None:
                return parsed  # no error has the form of what was asked for
        text = answer.body.decode("utf-8", "replace")
        try:
            parsed = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            parsed = None
        try:
            this.handle_errors(answer.status, answer.reason, url, method, answer.headers, text, parsed, headers, body)
            this.handle_http_status_code(answer.status, answer.reason, url, method, text)
        except Exception as error:
            raise self._refusal(error, answer, parsed, text) from redact_error(error)
        if not isinstance(parsed, dict | list):
            raise no_answer(answer, text, this.id)
        return cast(Any, parsed)

    def _refusal(self, error: Exception, answer: Answer, parsed: Any, text: str) -> PlanarError:
        this = cast(Any, self)
        wiring = this.planar
        profile = wiring.profile
        made = refusal(error, answer, parsed, text, profile, wiring.environment, this.apiKey)
        if answer.status not in profile.stops and made.code is not None and made.code in profile.stops:
            wiring.budget.stop(profile.stops[made.code], key=made.code in profile.key_stops)
        return made
