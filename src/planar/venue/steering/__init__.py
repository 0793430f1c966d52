"""Steering: the commands that the control API carries out on one exchange of the local venue.

One struct for each command, one module for each area; `POST /planar/command` takes
`{"venue": id or null, "command": {"action": "set_balance", ...}}`. A new command is a subclass of
`planar.venue.steering.bench.SteeringCommand` with a line in the union below; the control API, both clients and the
error texts then know it.
"""

from __future__ import annotations

from planar.venue.steering.accounts import (
    CreateAccount,
    CreateKey,
    Credit,
    MakeDeposit,
    SetAddresses,
    SetSettlement,
    SettleMovements,
    ShowAccounts,
    ShowMovements,
)
from planar.venue.steering.balances import SetBalance
from planar.venue.steering.clockwork import Freeze, Resume, Step
from planar.venue.steering.market import PlantOpportunity, SetLatency, ShapeMarket, ShockMarket, ShowMarket
from planar.venue.steering.recordings import StartRecording, StartReplay, StopRecording, StopReplay
from planar.venue.steering.state import (
    Delist,
    ExpireTokens,
    Halt,
    Reopen,
    RestrictAddresses,
    SetFilters,
    SetRights,
    SetSystem,
)

Command = (
    SetBalance
    | CreateAccount
    | CreateKey
    | ShowAccounts
    | SetAddresses
    | Credit
    | MakeDeposit
    | SetSettlement
    | ShowMovements
    | SettleMovements
    | Freeze
    | Resume
    | Step
    | Halt
    | Reopen
    | Delist
    | SetFilters
    | SetSystem
    | SetRights
    | RestrictAddresses
    | ExpireTokens
    | ShapeMarket
    | SetLatency
    | ShockMarket
    | PlantOpportunity
    | ShowMarket
    | StartRecording
    | StopRecording
    | StartReplay
    | StopReplay
)  # fmt: skip
"""Everything that an exchange can be told."""
