"""The promises of the privacy policy, each proven on real parts by a test named after its number."""
