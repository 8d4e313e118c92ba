"""Facts of the settings of a project, where a change is judged by those of another revision."""

import msgspec


class SettingsFacts(msgspec.Struct, frozen=True):
    """What a change does to the settings, waivers, rules and baseline: `weakened` where it requires less."""

    weakened: bool
