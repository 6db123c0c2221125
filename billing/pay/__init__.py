"""The pay host: an origin of its own, the only one that loads Stripe's script, shown in a frame of ours."""
