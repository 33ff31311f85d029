"""Mail gateway of a 24/7 contact point under the Budapest Convention on Cybercrime, Article 35."""
