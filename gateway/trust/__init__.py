"""Who asks: DKIM, SPF, DMARC, ARC, OpenPGP and the directory of contact points."""
