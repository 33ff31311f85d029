"""The command cp247: one small file per verb group."""
