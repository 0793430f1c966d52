"""The hosts of Kraken spot (documentation: REST and WebSocket API, introduction). There is no spot sandbox."""

from planar.transport.guard import HostRules

_LIVE = ("api.kraken.com", "ws.kraken.com", "ws-auth.kraken.com")

HOSTS = {"live": HostRules(hosts=_LIVE), "local": HostRules(hosts=_LIVE)}
