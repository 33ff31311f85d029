"""The two roads, inward and outward: values in, values out; the edges come as functions.

Never reads the database, never delivers, never writes to disk.
"""
