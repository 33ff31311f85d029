"""The wire: listeners inward and outward, courier to the next hop."""
