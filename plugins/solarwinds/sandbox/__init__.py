"""A local server that behaves as SolarWinds Service Desk's API does; see `server.SolarwindsSandbox`."""

from plugins.solarwinds.sandbox.cast import actor, hub_settings
from plugins.solarwinds.sandbox.server import SolarwindsSandbox

SANDBOX = SolarwindsSandbox

__all__ = ["SANDBOX", "SolarwindsSandbox", "actor", "hub_settings"]
