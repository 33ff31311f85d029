"""Wiring: edges made from Settings, supervisor, judge loop, courier loop, reload, shutdown."""
