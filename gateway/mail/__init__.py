"""The format of mail: bytes in, values out. Pure."""
