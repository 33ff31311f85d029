"""What every verb of the command line gets: where the configuration stands, read when first asked for."""

from dataclasses import dataclass

from gateway.config import load_settings
from gateway.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The --config option; `None` = ./gateway.yaml, then /etc/cp247/gateway.yaml."""

    config: str | None = None

    def settings(self) -> Settings:
        """Settings of that file; ConfigError becomes exit status 2 in `main`."""
        return load_settings(self.config)
