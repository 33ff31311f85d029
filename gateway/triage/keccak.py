"""Keccak-256 as Ethereum and Monero use it: the padding of 2011, which the standard's SHA3-256 changed later.

For checksums of addresses only; slow, and never for secrets.
"""

_MASK = (1 << 64) - 1
_RATE = 136
"""Octets taken in at once: 1600 bits of state less twice the 256 of the digest."""
_ROUNDS = (
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
)  # fmt: skip


def keccak256(data: bytes) -> bytes:
    """The 32 octets of the digest."""
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % _RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for number in range(_RATE // 8):
            lanes[number] ^= int.from_bytes(padded[start + 8 * number : start + 8 * number + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(a: list[int]) -> list[int]:
    """Keccak-f[1600] (FIPS 202 section 3.2): theta, rho and pi, chi, iota; lane x, y is a[x + 5 * y]."""
    for constant in _ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[(x - 1) % 5] ^ _turned(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[number % 5] for number, lane in enumerate(a)]
        x, y, current = 1, 0, a[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x + 5 * y] = a[x + 5 * y], _turned(current, (step + 1) * (step + 2) // 2)
        a = [
            a[5 * row + x] ^ (~a[5 * row + (x + 1) % 5] & a[5 * row + (x + 2) % 5] & _MASK)
            for row in range(5)
            for x in range(5)
        ]
        a[0] ^= constant
    return a


def _turned(lane: int, by: int) -> int:
    by %= 64
    return (lane << by | lane >> (64 - by)) & _MASK
